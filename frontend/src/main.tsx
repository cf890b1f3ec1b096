import "@fontsource-variable/inter/wght.css";
import "@/app/mantine.css";
import "@/app/styles.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Messages } from "@/app/messages";
import { createQueryClient } from "@/app/query-client";
import { createAppRouter } from "@/app/router";
import { resolveCssVariables, theme } from "@/app/theme";
import { afterSession } from "@/features/session/after-session";

const queryClient = createQueryClient((changing) => afterSession(queryClient, router, changing));
const router = createAppRouter(queryClient);

const container = document.getElementById("root");
if (!container) throw new Error("index.html has no #root element");

createRoot(container).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolveCssVariables}
      defaultColorScheme="auto"
    >
      <Messages />
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
