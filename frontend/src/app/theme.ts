import {
  type ActionIconProps,
  type BadgeProps,
  type ButtonProps,
  type CardProps,
  type CSSVariablesResolver,
  createTheme,
  type DrawerProps,
  type MenuProps,
  type ModalProps,
  type NotificationProps,
  type TableProps,
  type TooltipProps,
} from "@mantine/core";

// By name and not by component, so that the theme alone does not pull dialogs and tables into the first load.
const defaults = <Props>(defaultProps: Partial<Props>) => ({ defaultProps });

// The list itself scrolls: a scroll area around it would have to take the focus that stays in the field.
const scrollingOptions = {
  defaultProps: { withScrollArea: false },
  styles: { options: { maxHeight: 240, overflowY: "auto" as const } },
};

export const theme = createTheme({
  primaryColor: "tide",
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: "md",
  respectReducedMotion: true,
  cursorType: "pointer",
  fontFamily:
    "'Inter Variable', -apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif",
  fontFamilyMonospace:
    "ui-monospace, SFMono-Regular, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace",
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.375rem", lineHeight: "1.3" },
      h2: { fontSize: "1rem", lineHeight: "1.4" },
      h3: { fontSize: "0.875rem", lineHeight: "1.4" },
    },
  },
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  colors: {
    tide: [
      "#e8f8f8",
      "#d3eeee",
      "#a5dddd",
      "#73cbcc",
      "#4dbbbd",
      "#34a9ac",
      "#1f9499",
      "#108087",
      "#0b6e75",
      "#085a60",
    ],
    dark: [
      "#d5d9df",
      "#b4bac3",
      "#949ba6",
      "#6b727d",
      "#3d434c",
      "#2d323a",
      "#23272e",
      "#1a1d22",
      "#14161a",
      "#0e1013",
    ],
  },
  components: {
    ActionIcon: defaults<ActionIconProps>({ variant: "subtle", color: "gray" }),
    Autocomplete: scrollingOptions,
    Badge: defaults<BadgeProps>({ variant: "light", radius: "sm", tt: "none", fw: 500 }),
    Button: defaults<ButtonProps>({ size: "sm" }),
    Card: defaults<CardProps>({
      withBorder: true,
      padding: "lg",
      radius: "md",
      bg: "var(--mantine-color-body)",
    }),
    // Focus goes to the first item: the placeholder that would take it is no item of a menu.
    Menu: defaults<MenuProps>({ withInitialFocusPlaceholder: false }),
    Modal: defaults<ModalProps>({
      centered: true,
      closeButtonProps: { "aria-label": "Close" },
      overlayProps: { backgroundOpacity: 0.45, blur: 2 },
    }),
    Drawer: defaults<DrawerProps>({ closeButtonProps: { "aria-label": "Close" } }),
    Notification: defaults<NotificationProps>({ closeButtonProps: { "aria-label": "Dismiss" } }),
    MultiSelect: scrollingOptions,
    Select: scrollingOptions,
    Table: defaults<TableProps>({ verticalSpacing: "sm", horizontalSpacing: "md" }),
    Tooltip: defaults<TooltipProps>({ openDelay: 300, withArrow: true }),
  },
});

const lightBadgeColors = ["gray", "red", "yellow", "green", "tide", "blue", "orange"];

/** Contrast that Mantine's defaults miss: placeholders, dimmed text, and text on light fills. */
export const resolveCssVariables: CSSVariablesResolver = (resolved) => ({
  variables: {},
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-dimmed": "#5b6470",
    "--mantine-color-placeholder": "#6b7280",
    "--mantine-color-default-border": "#e3e6ea",
    "--mantine-color-error": "#c92a2a",
    "--mantine-color-anchor": resolved.colors.tide?.[8] ?? "",
    "--sg-surface": "#f7f8fa",
    "--sg-sidebar": "#fbfcfd",
    "--sg-sidebar-text": "#3b434d",
    "--sg-hover": "#eef0f3",
    "--sg-active": "#e6e9ed",
    ...Object.fromEntries(
      lightBadgeColors.map((color) => [
        `--mantine-color-${color}-light-color`,
        color === "yellow" || color === "orange" ? "#7a4100" : (resolved.colors[color]?.[9] ?? ""),
      ]),
    ),
    "--mantine-color-green-light-color": "#1b6b32",
  },
  dark: {
    "--mantine-color-body": resolved.colors.dark?.[7] ?? "",
    "--mantine-color-dimmed": "#a2a9b4",
    "--mantine-color-placeholder": "#949ba6",
    "--mantine-color-default-border": resolved.colors.dark?.[5] ?? "",
    "--mantine-color-default": resolved.colors.dark?.[6] ?? "",
    "--mantine-color-error": "#ff8787",
    "--mantine-color-anchor": resolved.colors.tide?.[4] ?? "",
    "--mantine-color-red-light": "rgba(250, 82, 82, 0.14)",
    "--mantine-color-yellow-light": "rgba(250, 176, 5, 0.12)",
    "--sg-surface": resolved.colors.dark?.[8] ?? "",
    "--sg-sidebar": resolved.colors.dark?.[9] ?? "",
    "--sg-sidebar-text": resolved.colors.dark?.[1] ?? "",
    "--sg-hover": resolved.colors.dark?.[7] ?? "",
    "--sg-active": resolved.colors.dark?.[6] ?? "",
    ...Object.fromEntries(
      lightBadgeColors.map((color) => [
        `--mantine-color-${color}-light-color`,
        resolved.colors[color]?.[2] ?? "",
      ]),
    ),
  },
});
