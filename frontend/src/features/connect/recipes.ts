export interface Setting {
  label: string;
  value: string;
}

export interface Step {
  /** What to do with what follows. */
  title: string;
  /** Text to paste as a whole, or values for fields of a settings page. */
  code?: string;
  settings?: Setting[];
}

export interface Recipe {
  id: string;
  name: string;
  steps: Step[];
  note?: string;
}

export interface Connection {
  /** The gateway's public address, without a slash at its end. */
  origin: string;
  key: string;
  model: string;
  /** Everything that may be called, for clients that want the whole list. */
  models: string[];
}

export const keyPlaceholder = "YOUR_SLUICEGATE_KEY";
const variable = "SLUICEGATE_API_KEY";

const lines = (...parts: string[]): string => parts.join("\n");
const exportKey = (key: string): Step => ({
  title: "Put the key into the environment",
  code: `export ${variable}=${key}`,
});

/** How each client is told about this gateway, ready to paste. */
export function recipesFor({ origin, key, model, models }: Connection): Recipe[] {
  const openai = `${origin}/v1`;
  return [
    {
      id: "claude-code",
      name: "Claude Code",
      steps: [
        {
          title: "For one shell",
          code: lines(
            `export ANTHROPIC_BASE_URL=${origin}`,
            `export ANTHROPIC_AUTH_TOKEN=${key}`,
            `export ANTHROPIC_MODEL=${model}`,
            `export ANTHROPIC_DEFAULT_HAIKU_MODEL=${model}`,
            "claude",
          ),
        },
        {
          title: "Or for good, in ~/.claude/settings.json",
          code: JSON.stringify(
            {
              env: {
                ANTHROPIC_BASE_URL: origin,
                ANTHROPIC_AUTH_TOKEN: key,
                ANTHROPIC_MODEL: model,
                ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
              },
            },
            null,
            2,
          ),
        },
        {
          title: "Or without keys, for everybody's machines: managed-settings.json",
          code: JSON.stringify(
            {
              forceLoginMethod: "gateway",
              forceLoginGatewayUrl: origin,
              env: { ANTHROPIC_MODEL: model, ANTHROPIC_DEFAULT_HAIKU_MODEL: model },
            },
            null,
            2,
          ),
        },
      ],
      note: "With the last of them people sign in by their browser. The Haiku entry is the model for titles and other background work; a cheaper one does.",
    },
    {
      id: "codex",
      name: "Codex",
      steps: [
        exportKey(key),
        {
          title: "Write this into ~/.codex/config.toml, then run codex",
          code: lines(
            `model = "${model}"`,
            'model_provider = "sluicegate"',
            "",
            "[model_providers.sluicegate]",
            'name = "Sluicegate"',
            `base_url = "${openai}"`,
            `env_key = "${variable}"`,
            'wire_api = "responses"',
          ),
        },
      ],
    },
    {
      id: "cursor",
      name: "Cursor",
      steps: [
        {
          title: "In Cursor Settings, Models, API Keys: switch on “Override OpenAI Base URL”",
          settings: [
            { label: "OpenAI API key", value: key },
            { label: "Override OpenAI base URL", value: openai },
          ],
        },
        { title: "Under Models, add a custom model", settings: [{ label: "Model", value: model }] },
      ],
      note: isPublic(origin)
        ? "Cursor calls from its own servers, so they must be able to reach this address."
        : `Cursor calls from its own servers, which can't reach ${origin}. It needs a public https address.`,
    },
    {
      id: "cline",
      name: "Cline",
      steps: [
        {
          title: "In Cline's settings, choose the API provider “OpenAI Compatible”",
          settings: [
            { label: "Base URL", value: openai },
            { label: "API key", value: key },
            { label: "Model ID", value: model },
          ],
        },
      ],
    },
    {
      id: "aider",
      name: "aider",
      steps: [
        {
          title: "In your repository",
          code: lines(
            `export OPENAI_API_BASE=${openai}`,
            `export OPENAI_API_KEY=${key}`,
            `aider --model openai/${model}`,
          ),
        },
      ],
    },
    {
      id: "opencode",
      name: "opencode",
      steps: [
        exportKey(key),
        {
          title: "Write this into ~/.config/opencode/opencode.json, or opencode.json in a project",
          code: JSON.stringify(
            {
              $schema: "https://opencode.ai/config.json",
              model: `sluicegate/${model}`,
              provider: {
                sluicegate: {
                  npm: "@ai-sdk/openai-compatible",
                  name: "Sluicegate",
                  options: { baseURL: openai, apiKey: `{env:${variable}}` },
                  models: Object.fromEntries(models.map((slug) => [slug, { name: slug }])),
                },
              },
            },
            null,
            2,
          ),
        },
      ],
    },
    {
      id: "curl",
      name: "curl",
      steps: [
        {
          title: "In OpenAI's format, streamed",
          code: lines(
            `curl -N ${openai}/chat/completions \\`,
            `  -H "Authorization: Bearer ${key}" \\`,
            '  -H "Content-Type: application/json" \\',
            `  -d '${body({ model, stream: true })}'`,
          ),
        },
        {
          title: "In Anthropic's format",
          code: lines(
            `curl ${openai}/messages \\`,
            `  -H "x-api-key: ${key}" \\`,
            '  -H "anthropic-version: 2023-06-01" \\',
            '  -H "Content-Type: application/json" \\',
            `  -d '${body({ model, max_tokens: 256 })}'`,
          ),
        },
      ],
    },
    {
      id: "openai-python",
      name: "OpenAI SDK (Python)",
      steps: [
        exportKey(key),
        {
          title: "pip install openai",
          code: lines(
            "import os",
            "",
            "from openai import OpenAI",
            "",
            `client = OpenAI(base_url="${openai}", api_key=os.environ["${variable}"])`,
            "answer = client.chat.completions.create(",
            `    model="${model}",`,
            '    messages=[{"role": "user", "content": "Hello!"}],',
            ")",
            "print(answer.choices[0].message.content)",
          ),
        },
      ],
    },
    {
      id: "anthropic-python",
      name: "Anthropic SDK (Python)",
      steps: [
        exportKey(key),
        {
          title: "pip install anthropic",
          code: lines(
            "import os",
            "",
            "from anthropic import Anthropic",
            "",
            `client = Anthropic(base_url="${origin}", api_key=os.environ["${variable}"])`,
            "answer = client.messages.create(",
            `    model="${model}",`,
            "    max_tokens=256,",
            '    messages=[{"role": "user", "content": "Hello!"}],',
            ")",
            "print(answer.content[0].text)",
          ),
        },
      ],
    },
  ];
}

const body = (fields: object): string =>
  JSON.stringify({ ...fields, messages: [{ role: "user", content: "Hello!" }] });

function isPublic(origin: string): boolean {
  return (
    origin.startsWith("https://") &&
    !/^https:\/\/(localhost|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|\[)/.test(origin)
  );
}
