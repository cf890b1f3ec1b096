import type { SecretAction } from "@/gql/graphql";

interface Words {
  label: string;
  color: string;
  description: string;
}

export const actions: Record<SecretAction, Words> = {
  BLOCK: {
    label: "Block",
    color: "red",
    description: "The call is refused with the rule's name. No provider is asked.",
  },
  REDACT: {
    label: "Redact",
    color: "yellow",
    description: "The call goes on with the rule's name in the place of each match.",
  },
  LOG: {
    label: "Log",
    color: "blue",
    description: "The call goes on as it came.",
  },
};

export const actionChoices = (Object.keys(actions) as SecretAction[]).map((value) => ({
  value,
  label: actions[value].label,
  description: actions[value].description,
}));
