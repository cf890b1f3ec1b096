import { Button } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Confirmed } from "@/components/confirm-dialog";
import { EditModelDialog } from "@/features/models/components/edit-model-dialog";
import { useDeleteModel, useUpdateModel } from "@/features/models/mutations";
import { type Model, modelHoldersQuery } from "@/features/models/queries";
import { notifyFailure, notifySuccess } from "@/lib/notify";
import { plural } from "@/lib/numbers";
import { totalOf } from "@/lib/pages";
import { keys } from "@/lib/query-keys";

export function ModelActions({ model }: { model: Model }) {
  const [editing, setEditing] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setEditing(true)}>
        Edit
      </Button>
      {model.status === "ACTIVE" ? <Disable model={model} /> : <Activate model={model} />}
      <Delete model={model} />
      <EditModelDialog model={model} opened={editing} onClose={() => setEditing(false)} />
    </>
  );
}

function Activate({ model }: { model: Model }) {
  const update = useUpdateModel();
  return (
    <Button
      variant="default"
      loading={update.isPending}
      onClick={() =>
        update.mutate(
          { id: model.id, status: "ACTIVE", expectedVersion: model.version },
          { onSuccess: () => notifySuccess(`${model.slug} is active.`), onError: notifyFailure },
        )
      }
    >
      Activate
    </Button>
  );
}

function Disable({ model }: { model: Model }) {
  const update = useUpdateModel();
  return (
    <Confirmed
      title={`Disable ${model.slug}?`}
      consequence={`Callers get “model not found” from the next call on; running calls finish. Backends and grants are kept.`}
      confirmLabel="Disable"
      onConfirm={async () => {
        await update.mutateAsync({
          id: model.id,
          status: "DISABLED",
          expectedVersion: model.version,
        });
        notifySuccess(`${model.slug} disabled.`);
      }}
      trigger={(open) => (
        <Button variant="default" onClick={open}>
          Disable
        </Button>
      )}
    />
  );
}

function Delete({ model }: { model: Model }) {
  const remove = useDeleteModel();
  const navigate = useNavigate();
  const client = useQueryClient();
  const grants = totalOf(useInfiniteQuery(modelHoldersQuery(model.id)).data);
  return (
    <Confirmed
      title={`Delete ${model.slug}?`}
      consequence={
        <>
          Callers that send <span className="mono">{model.slug}</span> get “model not found” from
          the next call on.{" "}
          {grants === undefined
            ? "All grants for it go too."
            : grants === 0
              ? "Nobody was granted it."
              : `${plural(grants, "grant goes", "grants go")} with it.`}{" "}
          Usage history stays. This can't be undone.
        </>
      }
      confirmLabel="Delete model"
      onConfirm={async () => {
        await remove.mutateAsync(model.id);
        notifySuccess(`${model.slug} deleted.`);
        await navigate({ to: "/admin/models", ignoreBlocker: true });
        client.removeQueries({ queryKey: keys.model(model.id) });
      }}
      trigger={(open) => (
        <Button variant="subtle" color="red" onClick={open}>
          Delete
        </Button>
      )}
    />
  );
}
