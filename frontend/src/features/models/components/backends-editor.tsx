import { ActionIcon, Badge, Group, Input, Stack, Text, TextInput, Tooltip } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconX } from "@tabler/icons-react";
import { useId } from "react";
import {
  canMove,
  type Draft,
  moved,
  shareOf,
  tiersOf,
  withOffer,
  without,
} from "@/features/models/backends";
import { OfferPicker } from "@/features/models/components/offer-picker";
import type { ModelKind } from "@/gql/graphql";
import { formatShare } from "@/lib/numbers";
import classes from "./backends-editor.module.css";

interface Props {
  kind: ModelKind;
  value: Draft[];
  onChange: (drafts: Draft[]) => void;
  error?: React.ReactNode;
}

/** Who answers, in which order, and in which shares. */
export function BackendsEditor({ kind, value, onChange, error }: Props) {
  const tiers = tiersOf(value);
  const errorId = useId();
  return (
    <Stack
      gap="sm"
      role="group"
      aria-label="Backends"
      aria-describedby={error ? errorId : undefined}
    >
      {tiers.map((tier, index) => (
        <div key={tier[0]?.providerModelId} className={classes.tier}>
          <Text size="xs" c="dimmed" fw={500} mb={6}>
            {tierWords(tier[0]?.priority ?? 0, index, tier.length)}
          </Text>
          <Stack gap={6} role="list">
            {tier.map((draft) => (
              <BackendRow
                key={draft.providerModelId}
                draft={draft}
                tier={tier}
                all={value}
                onChange={onChange}
              />
            ))}
          </Stack>
        </div>
      ))}
      <OfferPicker
        kind={kind}
        taken={value.map(({ providerModelId }) => providerModelId)}
        onPick={(offer) => onChange(withOffer(value, offer))}
      />
      <Text size="xs" c="dimmed">
        The lowest priority goes first, and weights share calls among equals. When a backend fails
        before its answer begins, the next one is tried.
      </Text>
      {error ? <Input.Error id={errorId}>{error}</Input.Error> : null}
    </Stack>
  );
}

function tierWords(priority: number, index: number, size: number): string {
  const when = index === 0 ? "tried first" : "when those before fail";
  return `Priority ${priority} · ${when}${size > 1 ? ", shared by weight" : ""}`;
}

interface RowProps {
  draft: Draft;
  tier: Draft[];
  all: Draft[];
  onChange: (drafts: Draft[]) => void;
}

function BackendRow({ draft, tier, all, onChange }: RowProps) {
  const { providerModelId: id, name } = draft;
  return (
    <Group role="listitem" gap="sm" justify="flex-end" className={classes.row}>
      <div className={classes.name}>
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          <span className="mono">{name}</span>
          <Text span inherit c="dimmed">{` · ${draft.provider}`}</Text>
        </Text>
        {draft.obstacle ? (
          <Badge color="orange" size="sm">
            {draft.obstacle}
          </Badge>
        ) : null}
      </div>
      {tier.length > 1 ? (
        <Group gap={8} wrap="nowrap">
          <Text size="xs" c="dimmed" aria-hidden>
            Weight
          </Text>
          <TextInput
            aria-label={`Weight of ${name}`}
            inputMode="numeric"
            size="xs"
            w={56}
            value={draft.weight}
            onChange={({ currentTarget: { value } }) =>
              onChange(
                all.map((one) =>
                  one.providerModelId === id ? { ...one, weight: value.trim() } : one,
                ),
              )
            }
          />
          <Text size="xs" miw={40} className="numeric">
            {formatShare(shareOf(draft, tier), 1)}
          </Text>
        </Group>
      ) : null}
      <Group gap={2} wrap="nowrap">
        <RowButton
          label={`Try ${name} earlier`}
          disabled={!canMove(all, id, -1)}
          onClick={() => onChange(moved(all, id, -1))}
        >
          <IconArrowUp size={16} aria-hidden />
        </RowButton>
        <RowButton
          label={`Try ${name} later`}
          disabled={!canMove(all, id, 1)}
          onClick={() => onChange(moved(all, id, 1))}
        >
          <IconArrowDown size={16} aria-hidden />
        </RowButton>
        <RowButton label={`Remove ${name}`} onClick={() => onChange(without(all, id))}>
          <IconX size={16} aria-hidden />
        </RowButton>
      </Group>
    </Group>
  );
}

interface ButtonProps {
  label: string;
  disabled?: boolean;
  onClick: () => void;
  children: React.ReactNode;
}

function RowButton({ label, disabled = false, onClick, children }: ButtonProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} disabled={disabled} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
