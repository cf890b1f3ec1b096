import { Alert, Box, Stack, Text, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Trial as Outcome, trialQuery } from "@/features/secret-rules/queries";
import type { SecretAction, SecretRuleDraft } from "@/gql/graphql";
import { messageOf } from "@/lib/errors";
import { formatCount, plural } from "@/lib/numbers";
import classes from "../secret-rules.module.css";

interface Props {
  /** What is tried; all rules that are on for null. */
  draft: SecretRuleDraft | null;
  description?: string;
}

const pause = 300;
const longest = 100_000;
const mostParts = 1_000;

/** A text to type, and what would become of a call with it. */
export function Trial({ draft, description = "It is kept nowhere." }: Props) {
  const [text, setText] = useState("");
  const [settled] = useDebouncedValue(JSON.stringify({ text, draft }), pause);
  const asked = JSON.parse(settled) as { text: string; draft: SecretRuleDraft | null };
  const tooLong = text.length > longest;
  const query = useQuery({
    ...trialQuery(asked.text, asked.draft),
    enabled: asked.text !== "" && asked.text.length <= longest && asked.draft?.pattern !== "",
  });
  // What came before is shown while the next answer is awaited, unless there was no question.
  const silent = text === "" || asked.text === "" || tooLong || draft?.pattern === "";
  return (
    <Stack gap="sm">
      <Textarea
        label="Sample text"
        description={description}
        placeholder="Paste a prompt, a log or a file"
        autosize
        minRows={3}
        maxRows={10}
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={tooLong ? `At most ${formatCount(longest)} characters can be tried at once` : null}
      />
      <div role="status">
        {silent ? null : query.isError ? (
          <Alert color="red">{messageOf(query.error)}</Alert>
        ) : query.data ? (
          <Verdict outcome={query.data} />
        ) : null}
      </div>
      {silent || !query.data || query.data.matches === 0 ? null : <Shown outcome={query.data} />}
    </Stack>
  );
}

const verdicts: Record<SecretAction, { color: string; words: (matches: string) => string }> = {
  BLOCK: {
    color: "red",
    words: (matches) => `Refused: ${matches}. Callers get 400 secret_blocked.`,
  },
  REDACT: {
    color: "yellow",
    words: (matches) => `Redacted: ${matches}. The call goes on with what stands below.`,
  },
  LOG: {
    color: "blue",
    words: (matches) => `Logged: ${matches}. The call goes on as it came.`,
  },
};

function Verdict({ outcome: { action, matches, fault, position, parts } }: { outcome: Outcome }) {
  if (fault) {
    const place = typeof position === "number" ? ` (at character ${position + 1})` : "";
    return (
      <Alert color="red">
        The pattern cannot be used: {fault}
        {place}
      </Alert>
    );
  }
  if (!action) return <Alert color="green">Nothing matches. The call goes on as it came.</Alert>;
  const names = [...new Set(parts.flatMap(({ rules }) => rules))];
  return (
    <Alert color={verdicts[action].color}>
      {verdicts[action].words(plural(matches, "match", "matches"))} Found by: {names.join(", ")}.
    </Alert>
  );
}

function Shown({ outcome: { parts, action, sent } }: { outcome: Outcome }) {
  const first = parts.slice(0, mostParts).map((part, index) => ({ ...part, id: index }));
  return (
    <>
      <Text size="sm" fw={500}>
        What matches
      </Text>
      <Box component="section" className={classes.text} tabIndex={0} aria-label="What matches">
        {first.map(({ id, text, action: own, rules }) =>
          own ? (
            <mark key={id} className={classes.match} data-action={own} title={rules.join(", ")}>
              {text}
            </mark>
          ) : (
            <span key={id}>{text}</span>
          ),
        )}
        {parts.length > mostParts ? "… and more" : null}
      </Box>
      {action === "REDACT" ? (
        <>
          <Text size="sm" fw={500}>
            What goes on
          </Text>
          <Box component="section" className={classes.text} tabIndex={0} aria-label="What goes on">
            {sent}
          </Box>
        </>
      ) : null}
    </>
  );
}
