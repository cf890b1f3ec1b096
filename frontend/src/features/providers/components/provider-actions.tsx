import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Confirmed } from "@/components/confirm-dialog";
import { EditProviderDialog } from "@/features/providers/components/edit-provider-dialog";
import { contentsOf, lossOf, strandedWords } from "@/features/providers/consequences";
import { useDeleteProvider, useUpdateProvider } from "@/features/providers/mutations";
import type { KindInfo, Provider } from "@/features/providers/queries";
import { notifyFailure, notifySuccess } from "@/lib/notify";
import { plural } from "@/lib/numbers";
import { keys } from "@/lib/query-keys";

interface Props {
  provider: Provider;
  info: KindInfo;
}

export function ProviderActions({ provider, info }: Props) {
  const [editing, setEditing] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setEditing(true)}>
        Edit
      </Button>
      {provider.enabled ? <Disable provider={provider} /> : <Enable provider={provider} />}
      <Delete provider={provider} />
      <EditProviderDialog
        provider={provider}
        info={info}
        opened={editing}
        onClose={() => setEditing(false)}
      />
    </>
  );
}

function Enable({ provider }: Pick<Props, "provider">) {
  const update = useUpdateProvider();
  return (
    <Button
      variant="default"
      loading={update.isPending}
      onClick={() =>
        update.mutate(
          { id: provider.id, enabled: true, expectedVersion: provider.version },
          { onSuccess: () => notifySuccess(`${provider.name} enabled.`), onError: notifyFailure },
        )
      }
    >
      Enable
    </Button>
  );
}

function Disable({ provider }: Pick<Props, "provider">) {
  const update = useUpdateProvider();
  const { backends, stranded } = lossOf(provider.models);
  return (
    <Confirmed
      title={`Disable ${provider.name}?`}
      consequence={
        <>
          No further call goes there; running ones finish.{" "}
          {plural(backends, "backend rests", "backends rest")} until it is enabled again.
          <Stranded slugs={stranded} />
        </>
      }
      confirmLabel="Disable"
      onConfirm={async () => {
        await update.mutateAsync({
          id: provider.id,
          enabled: false,
          expectedVersion: provider.version,
        });
        notifySuccess(`${provider.name} disabled.`);
      }}
      trigger={(open) => (
        <Button variant="default" onClick={open}>
          Disable
        </Button>
      )}
    />
  );
}

function Delete({ provider }: Pick<Props, "provider">) {
  const remove = useDeleteProvider();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { stranded } = lossOf(provider.models);
  return (
    <Confirmed
      title={`Delete ${provider.name}?`}
      consequence={
        <>
          {contentsOf(provider)} go with it, and its key. Usage history stays. This can't be undone.
          <Stranded slugs={stranded} />
        </>
      }
      confirmLabel="Delete provider"
      onConfirm={async () => {
        await remove.mutateAsync(provider.id);
        notifySuccess(`${provider.name} deleted.`);
        await navigate({ to: "/admin/providers", ignoreBlocker: true });
        client.removeQueries({ queryKey: keys.provider(provider.id) });
      }}
      trigger={(open) => (
        <Button variant="subtle" color="red" onClick={open}>
          Delete
        </Button>
      )}
    />
  );
}

function Stranded({ slugs }: { slugs: string[] }) {
  if (slugs.length === 0) return null;
  return (
    <>
      {" "}
      <strong>{strandedWords(slugs)}</strong>{" "}
      {slugs.length === 1 ? "has no other backend and answers" : "have no other backend and answer"}{" "}
      no call any more.
    </>
  );
}
