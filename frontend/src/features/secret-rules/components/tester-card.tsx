import { NativeSelect, Stack } from "@mantine/core";
import { useState } from "react";
import { SectionCard } from "@/components/section-card";
import { Trial } from "@/features/secret-rules/components/trial";
import type { SecretRule } from "@/features/secret-rules/queries";

/** What the rules, or one of them, make of a text. */
export function TesterCard({ rules }: { rules: SecretRule[] }) {
  const [id, setId] = useState("");
  const one = rules.find((rule) => rule.id === id);
  return (
    <SectionCard
      title="Try rules"
      description="See what they would find in a text, and what would become of a call with it."
    >
      <Stack gap="md">
        <NativeSelect
          label="Rules to try"
          maw={{ sm: 360 }}
          value={one?.id ?? ""}
          onChange={(event) => setId(event.currentTarget.value)}
          data={[
            { value: "", label: "All that are on" },
            ...rules.map((rule) => ({ value: rule.id, label: `${rule.name} alone` })),
          ]}
        />
        <Trial
          draft={
            one
              ? { name: one.name, pattern: one.pattern, action: one.action, check: one.check }
              : null
          }
        />
      </Stack>
    </SectionCard>
  );
}
