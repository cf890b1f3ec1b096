import { Alert, Button, FileButton, Group, Modal, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconFileImport } from "@tabler/icons-react";
import { useState } from "react";
import { CopyButton } from "@/components/copy-button";
import { ImportLines } from "@/features/users/components/import-lines";
import { type Imported, largestFile, useImportUsers } from "@/features/users/importing";
import { messageOf } from "@/lib/errors";
import { plural } from "@/lib/numbers";

interface Props {
  onClose: () => void;
}

interface Preview extends Imported {
  name: string;
  csv: string;
}

/** A file, then what it would do, then what it did. */
export default function ImportDialog({ onClose }: Props) {
  const send = useImportUsers();
  const [preview, setPreview] = useState<Preview | null>(null);
  const [done, setDone] = useState<Imported | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const links = done?.lines.filter(({ inviteUrl }) => inviteUrl !== null) ?? [];
  const changing =
    preview?.lines.filter(({ action }) => action === "INVITED" || action === "UPDATED").length ?? 0;

  async function attempt(act: () => Promise<void>): Promise<void> {
    setProblem(null);
    try {
      await act();
    } catch (error) {
      setProblem(messageOf(error));
    }
  }

  const look = (file: File | null) =>
    attempt(async () => {
      if (!file) return;
      // Should this file not do, the one before it is not what would be imported.
      setPreview(null);
      if (file.size > largestFile) {
        throw new Error("This file is too large. Import at most 500 people at once.");
      }
      const csv = await file.text();
      const found = await send.mutateAsync({ csv, dryRun: true });
      setPreview({ ...found, csv, name: file.name });
    });

  const run = ({ csv, plan }: Preview) =>
    attempt(async () =>
      setDone(await send.mutateAsync({ csv, dryRun: false, expectedPlan: plan })),
    );

  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={<Text fw={600}>{done ? "Imported" : "Import people from a CSV file"}</Text>}
      // Links are shown once: a stray click beside the dialog must not lose them.
      closeOnClickOutside={links.length === 0 && !send.isPending}
      closeOnEscape={links.length === 0 && !send.isPending}
    >
      <Stack gap="md">
        {preview === null ? (
          <Text size="sm">
            The first line names the columns: <code>email</code>, and where wanted <code>name</code>
            , <code>role</code> and <code>groups</code>, separated by semicolons. An export of this
            list is such a file. Nothing is written before you have seen what it would do.
          </Text>
        ) : (
          <ImportLines
            label={done ? "Result of each line" : `What ${preview.name} would do`}
            lines={(done ?? preview).lines}
            done={done !== null}
          />
        )}
        {links.length > 0 ? (
          <Alert
            color="yellow"
            icon={<IconAlertTriangle aria-hidden />}
            title="Pass these links on now"
          >
            No mail is configured, so nothing was sent, and a link can't be shown again. Each works
            once, for 7 days.
          </Alert>
        ) : null}
        {problem ? (
          <Alert color="red" role="alert">
            {problem}
          </Alert>
        ) : null}
        <Group justify="flex-end" gap="xs">
          {done ? (
            <>
              {links.length > 1 ? (
                <CopyButton
                  value={links.map(({ email, inviteUrl }) => `${email}\t${inviteUrl}`).join("\n")}
                  what="all links"
                />
              ) : null}
              <Button onClick={onClose}>Done</Button>
            </>
          ) : (
            <>
              <Button variant="default" onClick={onClose} disabled={send.isPending}>
                Cancel
              </Button>
              <FileButton
                accept=".csv,.txt,text/csv,text/plain"
                onChange={(file) => void look(file)}
              >
                {(props) => (
                  <Button
                    {...props}
                    variant={preview ? "default" : "filled"}
                    loading={send.isPending && preview === null}
                    leftSection={<IconFileImport size={16} aria-hidden />}
                  >
                    {preview ? "Another file" : "Choose a file"}
                  </Button>
                )}
              </FileButton>
              {preview ? (
                <Button
                  loading={send.isPending}
                  disabled={changing === 0}
                  onClick={() => void run(preview)}
                >
                  {changing === 0 ? "Nothing to import" : `Import ${plural(changing, "user")}`}
                </Button>
              ) : null}
            </>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}
