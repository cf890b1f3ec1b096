import { Alert, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Loaded } from "@/components/loaded";
import { PageHeader } from "@/components/page-header";
import { PageMissing } from "@/components/page-missing";
import { PageSkeleton } from "@/components/skeletons";
import { When } from "@/components/when";
import { BackendsCard } from "@/features/models/components/backends-card";
import { HoldersCard } from "@/features/models/components/holders-card";
import { ModelActions } from "@/features/models/components/model-actions";
import { modelKindLabel } from "@/features/models/components/model-kind";
import { ModelStatusBadge } from "@/features/models/components/model-status";
import { isServed, type Model, modelDetailQuery } from "@/features/models/queries";

export function ModelPage() {
  const { modelId } = useParams({ from: "/_app/admin/models/$modelId" });
  const query = useQuery(modelDetailQuery(modelId));
  return (
    <Loaded query={query} skeleton={<PageSkeleton />}>
      {(model) =>
        model ? (
          <ModelView model={model} />
        ) : (
          <PageMissing title="There is no such model">
            It may have been deleted, or the address is mistyped.
          </PageMissing>
        )
      }
    </Loaded>
  );
}

function ModelView({ model }: { model: Model }) {
  return (
    <Stack gap="lg">
      <PageHeader
        title={model.slug}
        badges={<ModelStatusBadge model={model} />}
        description={
          <>
            {model.displayName === "" ? "" : `${model.displayName} · `}
            {modelKindLabel(model.kind)} model, added <When at={model.createdAt} />
          </>
        }
        actions={<ModelActions model={model} />}
        back={{ to: "/admin/models", label: "Models" }}
      />
      {model.status === "ACTIVE" && !isServed(model) ? <NotServed model={model} /> : null}
      <BackendsCard model={model} />
      <HoldersCard model={model} />
    </Stack>
  );
}

/** It is switched on, and yet nothing answers. */
function NotServed({ model }: { model: Model }) {
  return (
    <Alert color="yellow" title="Calls are refused although it is active">
      {model.backends.length === 0
        ? "No backend is left. Add one below."
        : `No backend can be called now: ${reasons(model)}.`}
    </Alert>
  );
}

const reasons = (model: Model): string =>
  [...new Set(model.backends.map(({ providerModel }) => providerModel.obstacle))]
    .filter((reason) => reason)
    .map((reason) => reason?.replace(/^The/, "the").replace(/^No/, "no").replace(/^This/, "this"))
    .join("; ");
