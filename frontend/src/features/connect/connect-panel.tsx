import { Button, Group, NativeSelect, Skeleton, Stack, Text } from "@mantine/core";
import { IconBox } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { CodeBlock } from "@/components/code-block";
import { CopyButton } from "@/components/copy-button";
import { EmptyState } from "@/components/empty-state";
import { Loaded } from "@/components/loaded";
import { keyPlaceholder, type Recipe, recipesFor, type Step } from "@/features/connect/recipes";
import { type AvailableModel, availableModelsQuery } from "@/features/own-models/queries";
import { useSession } from "@/features/session/queries";
import classes from "./connect.module.css";

interface Props {
  /** The key to fill in, where it has just been made; nobody knows it later. */
  secret?: string;
  client?: string | undefined;
  model?: string | undefined;
  onChoose?: (chosen: { client?: string; model?: string }) => void;
}

export function ConnectPanel(props: Props) {
  const query = useQuery(availableModelsQuery);
  return (
    <Loaded query={query} skeleton={<Skeleton height={320} role="status" aria-label="Loading" />}>
      {(models) => (models.length === 0 ? <NoModels /> : <Panel {...props} models={models} />)}
    </Loaded>
  );
}

function NoModels() {
  return (
    <EmptyState icon={IconBox} title="No model was granted to you yet">
      Ask an administrator for access. A key alone lets nothing through.
    </EmptyState>
  );
}

function Panel({ secret, models, onChoose, ...given }: Props & { models: AvailableModel[] }) {
  const { publicUrl } = useSession().deployment;
  const [own, setOwn] = useState<{ client?: string; model?: string }>({});
  const chosen = { client: given.client ?? own.client, model: given.model ?? own.model };
  const chat = models.filter(({ kind }) => kind === "CHAT");
  const callable = chat.length > 0 ? chat : models;
  const model = callable.find(({ slug }) => slug === chosen.model) ?? callable[0];
  const recipes = recipesFor({
    origin: publicUrl.replace(/\/+$/, ""),
    key: secret ?? keyPlaceholder,
    model: model?.slug ?? "",
    models: callable.map(({ slug }) => slug),
  });
  const recipe = recipes.find(({ id }) => id === chosen.client) ?? recipes[0];
  if (!recipe) return null;

  const choose = (patch: { client?: string; model?: string }): void => {
    if (onChoose) onChoose(patch);
    else setOwn({ ...own, ...patch });
  };

  return (
    <Stack gap="md">
      <Group grow gap="sm" align="flex-end" wrap="wrap" preventGrowOverflow={false}>
        <NativeSelect
          label="Client"
          data={recipes.map(({ id, name }) => ({ value: id, label: name }))}
          value={recipe.id}
          onChange={(event) => choose({ client: event.currentTarget.value })}
        />
        <NativeSelect
          label="Model"
          data={callable.map(({ slug, displayName }) => ({
            value: slug,
            label: displayName && displayName !== slug ? `${displayName} (${slug})` : slug,
          }))}
          value={model?.slug ?? ""}
          onChange={(event) => choose({ model: event.currentTarget.value })}
        />
      </Group>
      <Steps recipe={recipe} />
      {secret === undefined ? (
        <Group gap="xs">
          <Text size="sm" c="dimmed">
            Put your own key in the place of <span className="mono">{keyPlaceholder}</span>.
          </Text>
          <Button
            size="compact-sm"
            variant="default"
            renderRoot={(root) => <Link to="/api-keys" {...root} />}
          >
            Create a key
          </Button>
        </Group>
      ) : null}
    </Stack>
  );
}

function Steps({ recipe }: { recipe: Recipe }) {
  return (
    <Stack gap="md">
      {recipe.steps.map((step) => (
        <Stack key={step.title} gap={6}>
          <Text size="sm" fw={500}>
            {step.title}
          </Text>
          <StepBody step={step} />
        </Stack>
      ))}
      {recipe.note ? (
        <Text size="sm" c="dimmed">
          {recipe.note}
        </Text>
      ) : null}
    </Stack>
  );
}

function StepBody({ step: { title, code, settings } }: { step: Step }) {
  if (code !== undefined) return <CodeBlock code={code} what={title} />;
  return (
    <dl className={classes.settings}>
      {settings?.map(({ label, value }) => (
        <div key={label} className={classes.setting}>
          <dt>{label}</dt>
          <dd>
            <span className="mono">{value}</span>
            <CopyButton value={value} what={label} compact />
          </dd>
        </div>
      ))}
    </dl>
  );
}
