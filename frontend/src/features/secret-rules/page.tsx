import { Button, Group, Stack } from "@mantine/core";
import { IconPlus, IconShieldLock, IconTemplate } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { EmptyState } from "@/components/empty-state";
import { FormDialog } from "@/components/form-dialog";
import { LoadFailure } from "@/components/loaded";
import { PageHeader } from "@/components/page-header";
import { SectionCard } from "@/components/section-card";
import { FindingsCard } from "@/features/secret-rules/components/findings-card";
import { CreateRuleForm } from "@/features/secret-rules/components/rule-form";
import { RulesTable } from "@/features/secret-rules/components/rules-table";
import { TemplatesDialog } from "@/features/secret-rules/components/templates-dialog";
import { TesterCard } from "@/features/secret-rules/components/tester-card";
import { rulesQuery } from "@/features/secret-rules/queries";

/** What is looked for in every prompt, what becomes of calls that hold it, and what was found. */
export function SecretRulesPage() {
  const query = useQuery(rulesQuery);
  const [dialog, setDialog] = useState<"create" | "templates" | null>(null);
  const close = () => setDialog(null);
  const rules = query.data;
  const empty = rules?.length === 0;

  const actions = (
    <Group gap="xs" justify="center">
      <Button
        variant="default"
        leftSection={<IconTemplate size={16} aria-hidden />}
        onClick={() => setDialog("templates")}
      >
        Add from template pack
      </Button>
      <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setDialog("create")}>
        Create rule
      </Button>
    </Group>
  );

  return (
    <Stack gap="lg" maw={1000}>
      <PageHeader
        title="Secret rules"
        description="What must not leave: looked for in everything that callers send, before any of it goes to a provider. Changes are in force at once."
        actions={empty ? null : actions}
      />
      <SectionCard
        title="Rules"
        description="Where several match, blocking goes before redacting before logging."
        flush
      >
        {rules === undefined && query.isError ? (
          <LoadFailure error={query.error} onRetry={() => void query.refetch()} />
        ) : empty ? (
          <EmptyState icon={IconShieldLock} title="No rules yet" action={actions}>
            A rule looks for keys, passwords and the like in prompts, and blocks the call, takes the
            secret out or just takes note. Template packs know the formats of common secrets.
          </EmptyState>
        ) : (
          <RulesTable rules={rules} />
        )}
      </SectionCard>
      {rules === undefined || empty ? null : <TesterCard rules={rules} />}
      <FindingsCard rules={rules ?? []} />
      <FormDialog opened={dialog === "create"} onClose={close} title="Create rule" size="lg">
        <CreateRuleForm onDone={close} />
      </FormDialog>
      <TemplatesDialog rules={rules ?? []} opened={dialog === "templates"} onClose={close} />
    </Stack>
  );
}
