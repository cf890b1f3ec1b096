import { Alert, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { When } from "@/components/when";
import {
  type DeviceSignIn,
  deviceSignInQuery,
  useAnswerDeviceSignIn,
} from "@/features/device/queries";
import { EntryFrame, EntryLoading } from "@/features/entry/entry-frame";
import { useSession } from "@/features/session/queries";
import { messageOf } from "@/lib/errors";

/** Where an assistant sends somebody who signs in with it; the code is in the address, or typed from its screen. */
export function DevicePage({ userCode }: { userCode: string | undefined }) {
  return userCode ? <Asked userCode={userCode} key={userCode} /> : <CodeForm />;
}

function CodeForm({ problem }: { problem?: string }) {
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { userCode: "" },
    validate: {
      userCode: (code) =>
        code.replace(/[^\p{L}\p{N}]/gu, "").length === 8 ? null : "Type all eight letters",
    },
  });
  return (
    <EntryFrame
      title="Sign in an assistant"
      description="Type the code that your coding assistant shows."
    >
      <form
        onSubmit={form.onSubmit(({ userCode }) =>
          navigate({ to: "/device", search: { user_code: userCode.trim().toUpperCase() } }),
        )}
      >
        <Stack>
          {problem ? (
            <Alert color="red" role="alert">
              {problem}
            </Alert>
          ) : null}
          <TextInput
            label="Code"
            placeholder="WDJB-MJHT"
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            data-autofocus
            {...form.getInputProps("userCode")}
          />
          <Button type="submit">Continue</Button>
        </Stack>
      </form>
    </EntryFrame>
  );
}

function Asked({ userCode }: { userCode: string }) {
  const query = useQuery(deviceSignInQuery(userCode));
  const [approved, setApproved] = useState<boolean | null>(null);
  if (query.isError) return <CodeForm problem={messageOf(query.error)} />;
  if (query.data === undefined) {
    return <EntryLoading title="Sign in an assistant" />;
  }
  const { program } = query.data;
  if (approved === null) return <Question asked={query.data} onAnswered={setApproved} />;
  return approved ? (
    <EntryFrame
      title={`${program} is signed in`}
      description="Go back to it; it goes on within a few seconds, and you can close this page. Its key is among yours, where you can limit or revoke it."
    >
      <Button variant="default" renderRoot={(props) => <Link to="/api-keys" {...props} />}>
        Your API keys
      </Button>
    </EntryFrame>
  ) : (
    <EntryFrame
      title="Sent away"
      description="It was not let in. If you did not begin this sign-in yourself, whoever sent you the code wanted your access: tell an administrator."
    >
      <Button variant="default" renderRoot={(props) => <Link to="/" {...props} />}>
        To the console
      </Button>
    </EntryFrame>
  );
}

interface QuestionProps {
  asked: DeviceSignIn;
  onAnswered: (approved: boolean) => void;
}

function Question({ asked, onAnswered }: QuestionProps) {
  const { user } = useSession().viewer;
  const answer = useAnswerDeviceSignIn();
  const sent = answer.isPending ? answer.variables.approve : null;
  const give = (approve: boolean) =>
    answer.mutate({ userCode: asked.userCode, approve }, { onSuccess: () => onAnswered(approve) });
  return (
    <EntryFrame
      title={`Let ${asked.program} in?`}
      description={
        <>
          It will call models as <b>{user.email}</b>, with your access and on your budget.
        </>
      }
    >
      {answer.isError ? (
        <Alert color="red" role="alert">
          {messageOf(answer.error)}
        </Alert>
      ) : null}
      <Stack gap={4}>
        <Text size="sm" c="dimmed">
          Code on its screen
        </Text>
        <Text className="mono" fz={28} fw={600} lh={1.2}>
          {asked.userCode}
        </Text>
        <Text size="sm" c="dimmed">
          Asked from <span className="mono">{asked.address}</span>, <When at={asked.createdAt} />
        </Text>
      </Stack>
      <Text size="sm">
        Go on only if you began this sign-in yourself, and the code is the one on your own screen.
      </Text>
      <Group grow>
        <Button
          variant="default"
          onClick={() => give(false)}
          loading={sent === false}
          disabled={sent === true}
        >
          No
        </Button>
        <Button onClick={() => give(true)} loading={sent === true} disabled={sent === false}>
          Let it in
        </Button>
      </Group>
    </EntryFrame>
  );
}
