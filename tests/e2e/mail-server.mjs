// A mail server for the journeys: takes every letter on a free port of loopback and keeps it.
import { once } from "node:events";
import { createServer } from "node:net";

/** `env` are the settings of a server that sends here; `letterTo` waits for the next letter to an address. */
export async function startMailServer() {
  const letters = [];
  const server = createServer((socket) => receive(socket, letters));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    env: {
      SLUICEGATE_SMTP_HOST: "127.0.0.1",
      SLUICEGATE_SMTP_PORT: String(server.address().port),
      SLUICEGATE_SMTP_TLS: "none",
      SLUICEGATE_SMTP_FROM: "Sluicegate <gateway@example.com>",
    },
    /** Takes it out of those that wait, so that the next call is about the next letter. */
    letterTo: async (address) => {
      for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
        const found = letters.findIndex(({ to }) => to.includes(address));
        if (found >= 0) return letters.splice(found, 1)[0];
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`no letter to ${address}; there are letters to ${letters.flatMap(({ to }) => to).join(", ")}`);
    },
    stop: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

function receive(socket, letters) {
  let letter = { to: [], lines: [] };
  let inBody = false;
  let rest = "";
  const say = (line) => socket.write(`${line}\r\n`);
  const take = (line) => {
    if (inBody && line !== ".") {
      letter.lines.push(line.startsWith("..") ? line.slice(1) : line);
    } else if (inBody) {
      inBody = false;
      letters.push({ to: letter.to, ...parsed(letter.lines) });
      letter = { to: [], lines: [] };
      say("250 taken");
    } else if (/^EHLO|^HELO|^MAIL FROM|^RSET|^NOOP/i.test(line)) {
      say("250 mail.example.com");
    } else if (/^RCPT TO/i.test(line)) {
      letter.to.push(/<(.*)>/.exec(line)[1]);
      say("250 ok");
    } else if (/^DATA/i.test(line)) {
      inBody = true;
      say("354 go on");
    } else if (/^QUIT/i.test(line)) {
      say("221 bye");
      socket.end();
    } else {
      say("502 unknown");
    }
  };
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    const lines = (rest + chunk).split("\r\n");
    rest = lines.pop();
    for (const line of lines) take(line);
  });
  say("220 mail.example.com");
}

/** Subject and the plain text, quoted-printable or base64 undone. */
function parsed(lines) {
  const whole = lines.join("\r\n");
  const subject = /^Subject: (.*)$/m.exec(whole)?.[1].trim() ?? "";
  const [, head, body] = /Content-Type: text\/plain([^]*?)\r\n\r\n([^]*?)(?:\r\n--|$)/i.exec(whole);
  if (/base64/i.test(head)) return { subject, text: Buffer.from(body, "base64").toString() };
  if (!/quoted-printable/i.test(head)) return { subject, text: body };
  const joined = body.replaceAll("=\r\n", "");
  return { subject, text: decodeURIComponent(joined.replaceAll("%", "%25").replace(/=([0-9A-F]{2})/g, "%$1")) };
}
