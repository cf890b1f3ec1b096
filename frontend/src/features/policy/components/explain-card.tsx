import { Alert, Autocomplete, Button, Group, List, Stack, Text, ThemeIcon } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconCheck, IconMinus, IconX } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { LoadFailure } from "@/components/loaded";
import { SectionCard } from "@/components/section-card";
import { LinesSkeleton } from "@/components/skeletons";
import { When } from "@/components/when";
import { explainQuery, modelPickerQuery } from "@/features/policy/queries";
import { admissionSteps } from "@/features/policy/words";
import type { ExplainQuery } from "@/gql/graphql";
import { formatExact } from "@/lib/dates";
import { rowsOf } from "@/lib/pages";

interface Props {
  userId: string;
}

/** "Would this user be let through now?", answered by what admits calls. */
export function ExplainCard({ userId }: Props) {
  const [typed, setTyped] = useState("");
  const [asked, setAsked] = useState<string | null>(null);
  const [opened, setOpened] = useState(false);
  const [search] = useDebouncedValue(typed.trim(), 200);
  const models = useInfiniteQuery(modelPickerQuery(search));
  const slugs = rowsOf(models.data).map(({ slug }) => slug);
  return (
    <SectionCard
      title="Explain"
      description="Would a small call be let through right now? The gateway's own decision, step by step."
    >
      <Stack gap="md">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setOpened(false);
            setAsked(typed.trim() || null);
          }}
        >
          <Group align="flex-end" gap="xs" wrap="nowrap">
            <Autocomplete
              label="Model"
              placeholder="Model slug"
              dropdownOpened={opened}
              onDropdownOpen={() => setOpened(true)}
              onDropdownClose={() => setOpened(false)}
              data={slugs}
              filter={({ options }) => options}
              value={typed}
              onChange={setTyped}
              onOptionSubmit={(slug) => setAsked(slug)}
              flex={1}
              miw={0}
              classNames={{ input: "mono" }}
            />
            <Button type="submit" variant="default" disabled={typed.trim() === ""}>
              Check
            </Button>
          </Group>
        </form>
        {asked === null ? null : <Verdict userId={userId} model={asked} />}
      </Stack>
    </SectionCard>
  );
}

function Verdict({ userId, model }: { userId: string; model: string }) {
  const query = useQuery(explainQuery(userId, model));
  if (query.data) return <Answer answer={query.data} />;
  if (query.isError)
    return <LoadFailure error={query.error} onRetry={() => void query.refetch()} />;
  return <LinesSkeleton rows={4} />;
}

function Answer({ answer }: { answer: ExplainQuery["explain"] }) {
  return (
    <Stack gap="sm" aria-live="polite">
      <Alert
        color={answer.allowed ? "green" : "red"}
        icon={answer.allowed ? <IconCheck aria-hidden /> : <IconX aria-hidden />}
        title={
          answer.allowed
            ? "Yes, it would be let through"
            : `No: ${answer.status} ${answer.code ?? ""}`
        }
      >
        <Text size="sm">{answer.message}</Text>
        {answer.retryAt === null ? null : (
          <Text size="sm" mt={4}>
            Again <When at={answer.retryAt} />, {formatExact(answer.retryAt)}.
          </Text>
        )}
      </Alert>
      <List spacing={6} size="sm" center={false} listStyleType="none" aria-label="Checks">
        {admissionSteps.map(([name, label]) => (
          <Step
            key={name}
            label={label}
            check={answer.checks.find((check) => check.name === name)}
          />
        ))}
      </List>
    </Stack>
  );
}

interface StepProps {
  label: string;
  check: ExplainQuery["explain"]["checks"][number] | undefined;
}

function Step({ label, check }: StepProps) {
  const [Mark, color, state] =
    check === undefined
      ? ([IconMinus, "gray", "not reached"] as const)
      : check.passed
        ? ([IconCheck, "green", "passed"] as const)
        : ([IconX, "red", "refused"] as const);
  return (
    <List.Item
      icon={
        <ThemeIcon size={18} radius="xl" variant="light" color={color}>
          <Mark size={12} role="img" aria-label={state} />
        </ThemeIcon>
      }
    >
      <Text size="sm" fw={500} component="span">
        {label}
      </Text>{" "}
      <Text size="sm" c="dimmed" component="span">
        {check?.detail ?? "Not reached"}
      </Text>
    </List.Item>
  );
}
