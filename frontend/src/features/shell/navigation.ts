import {
  type Icon,
  IconActivity,
  IconBell,
  IconBolt,
  IconBox,
  IconBuildingStore,
  IconChartBar,
  IconCoin,
  IconGauge,
  IconHeartbeat,
  IconHistory,
  IconHome,
  IconKey,
  IconLayoutDashboard,
  IconPlugConnected,
  IconSettings,
  IconShieldLock,
  IconTrophy,
  IconUserCircle,
  IconUsers,
  IconUsersGroup,
  IconWebhook,
} from "@tabler/icons-react";

export interface NavigationEntry {
  label: string;
  icon: Icon;
  path: string;
  /** For the command palette: what people type who do not know the label. */
  hint: string;
}

interface NavigationSection {
  label: string;
  role: "MEMBER" | "ADMIN";
  entries: NavigationEntry[];
}

/** Every page of the sidebar and the command palette. An entry shows once its route exists. */
export const navigation: NavigationSection[] = [
  {
    label: "You",
    role: "MEMBER",
    entries: [
      {
        label: "Dashboard",
        icon: IconLayoutDashboard,
        path: "/",
        hint: "Your usage, spend and limits",
      },
      {
        label: "Live calls",
        icon: IconActivity,
        path: "/live",
        hint: "Your calls in flight, tokens a minute, refusals as they happen",
      },
      {
        label: "API keys",
        icon: IconKey,
        path: "/api-keys",
        hint: "Create and revoke gateway keys",
      },
      { label: "Models", icon: IconBox, path: "/models", hint: "Models that you may call" },
      {
        label: "Connect",
        icon: IconPlugConnected,
        path: "/connect",
        hint: "Set up Claude Code, Codex, Cursor and others",
      },
      {
        label: "Leaderboard",
        icon: IconTrophy,
        path: "/leaderboard",
        hint: "Who uses most tokens, spend and requests",
      },
      {
        label: "Alerts",
        icon: IconBell,
        path: "/alerts",
        hint: "When a part of a budget is spent",
      },
    ],
  },
  {
    label: "Administration",
    role: "ADMIN",
    entries: [
      {
        label: "Overview",
        icon: IconHome,
        path: "/admin",
        hint: "Spend, top users and models, alerts and health",
      },
      {
        label: "Live",
        icon: IconActivity,
        path: "/admin/live",
        hint: "Everybody's calls in flight, who is near a limit, refusals as they happen",
      },
      {
        label: "Users",
        icon: IconUsers,
        path: "/admin/users",
        hint: "Invite, suspend, limits and budgets",
      },
      {
        label: "Groups",
        icon: IconUsersGroup,
        path: "/admin/groups",
        hint: "Shared grants, limits and budgets",
      },
      {
        label: "All API keys",
        icon: IconKey,
        path: "/admin/api-keys",
        hint: "Everybody's keys: unused, expired, revoked",
      },
      {
        label: "Providers",
        icon: IconBuildingStore,
        path: "/admin/providers",
        hint: "Upstream credentials and price lists",
      },
      {
        label: "Models",
        icon: IconBolt,
        path: "/admin/models",
        hint: "The names that callers send, and their backends",
      },
      {
        label: "Usage",
        icon: IconChartBar,
        path: "/admin/usage",
        hint: "Everybody's spend and tokens",
      },
      {
        label: "Health",
        icon: IconHeartbeat,
        path: "/admin/health",
        hint: "Which backends answer, and which rest",
      },
      {
        label: "Budgets",
        icon: IconCoin,
        path: "/admin/budgets",
        hint: "All caps, what is spent of them, and when they are reached",
      },
      {
        label: "Rate limits",
        icon: IconGauge,
        path: "/admin/rate-limits",
        hint: "All limits, and what is in use of them",
      },
      {
        label: "Secret rules",
        icon: IconShieldLock,
        path: "/admin/secret-rules",
        hint: "Block or redact keys and passwords in prompts",
      },
      {
        label: "Alerts and webhooks",
        icon: IconWebhook,
        path: "/admin/alerts",
        hint: "Who is told of budgets, delivery log",
      },
      {
        label: "Audit log",
        icon: IconHistory,
        path: "/admin/audit-log",
        hint: "Who changed what, with export",
      },
      {
        label: "Settings",
        icon: IconSettings,
        path: "/admin/settings",
        hint: "Mail, encryption key, deployment and environment",
      },
    ],
  },
];

/** Reached through the menu of one's own name. */
export const accountEntry: NavigationEntry = {
  label: "Account",
  icon: IconUserCircle,
  path: "/account",
  hint: "Your name, password, sessions, and tokens for automation",
};
