"""Templates of secret rules, by what they protect. Patterns follow the formats that issuers document."""

from __future__ import annotations

from dataclasses import dataclass

from sluicegate.domain.secret_rule import SecretAction, SecretCheck


@dataclass(frozen=True, slots=True)
class Template:
    """`examples` hold a match, `others` look like it and hold none. None of them is a real secret."""

    key: str
    name: str
    description: str
    pattern: str
    examples: tuple[str, ...]
    others: tuple[str, ...]
    action: SecretAction = SecretAction.REDACT
    check: SecretCheck = SecretCheck.NONE


@dataclass(frozen=True, slots=True)
class SecretPack:
    key: str
    name: str
    description: str
    templates: tuple[Template, ...]


# Stand-ins for what is random in a secret.
_MIXED = "aB3dE6gH9jK2mN5pQ8sT1vW4" * 6
_HEX = "0a1b2c3d4e5f6789" * 8
_UPPER = "ABCDEFGHJKMNPQRSTUVWXYZ234567" * 2
_PEM = "MIIEpAIBAAKCAQEA7bq2Xz5l0Y1kq9vT3mRr8dWn4sPfHcJ6uGxQeZy0oBiLtNaV"
# Eight characters or more, one of which is no letter: names of variables are no passwords.
_VALUE_CHAR = r"""[^\s"'\\,;&<>{}()$\[\]*]"""
_VALUE = "|".join(
    f"{_VALUE_CHAR}{{{before}{',' if before == 7 else ''}}}[0-9!#%+=/@^~-]{_VALUE_CHAR}{{{7 - before},}}"
    for before in range(8)
)
_ASSIGNED = r"""["'\\]{0,2}\s{0,3}(?::=|=>|[:=])\s{0,3}["'\\]{0,2}"""

_KEYS = SecretPack(
    "keys",
    "Keys and passwords",
    "Private keys, tokens and passwords, whoever issued them.",
    (
        Template(
            "private-key",
            "Private key",
            "Keys in PEM form, of OpenSSH and PGP too; also cut off before their end, and with line breaks as \\n.",
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:(?:[\w+/=,:;.()@<>\s-]|\\[nrt])*?-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"|(?:\s|\\[nrt])*[A-Za-z0-9+/=]{16,}(?:(?:\s|\\[nrt])+[A-Za-z0-9+/=]{16,})*)",
            (
                f"-----BEGIN RSA PRIVATE KEY-----\n{_PEM}\n{_PEM}\n-----END RSA PRIVATE KEY-----",
                f"-----BEGIN PRIVATE KEY-----\\n{_PEM}\\n{_PEM}==\\n-----END PRIVATE KEY-----",
                f"-----BEGIN OPENSSH PRIVATE KEY-----\n{_PEM}\n{_PEM}",
                f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1 (a)\n\n{_PEM}\n-----END PGP PRIVATE KEY BLOCK-----",
            ),
            (
                f"-----BEGIN PUBLIC KEY-----\n{_PEM}\n-----END PUBLIC KEY-----",
                f"-----BEGIN CERTIFICATE-----\n{_PEM}\n-----END CERTIFICATE-----",
                "a file that begins with -----BEGIN PRIVATE KEY----- is one",
            ),
            SecretAction.BLOCK,
        ),
        Template(
            "jwt",
            "JSON Web Token",
            "Signed tokens of three parts, as RFC 7519 has them.",
            r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}",
            (f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{_MIXED[:43]}",),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0", "eyJ.eyJ.abc", "keyJhbGciOiJIUzI1NiJ9"),
        ),
        Template(
            "password-assignment",
            "Assigned password",
            "What is assigned to a name such as password, secret or api_key; only the value is replaced.",
            r"(?i)\b[\w.-]{0,40}(?:password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token"
            rf"|access[_-]?token|refresh[_-]?token)(?:[_-][\w-]{{0,20}})?{_ASSIGNED}({_VALUE})",
            (
                "password=correct-horse-battery",
                'DB_PASSWORD: "hunter2hunter2"',
                "client_secret => 'a1b2c3d4e5f6'",
                '\\"apiKey\\": \\"a1b2c3d4e5f6g7h8\\"',
                "spring.datasource.password := s3cr3tS3cr3t",
            ),
            (
                "password=${DB_PASSWORD}",
                "password: str",
                "the password is long and hard to guess",
                "password = getpass()",
                "password=********",
            ),
        ),
        Template(
            "url-password",
            "Password in an address",
            "The password of addresses such as those of databases: scheme://name:password@host.",
            r"""\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@"'<>]{0,64}:([^\s/@"'<>$*{}]{3,100})@[A-Za-z0-9\[]""",
            ("postgresql://app:s3cr3t-pw@db.internal:5432/app", "redis://:s3cr3tpw@cache:6379/0"),
            ("https://example.com:8080/@me", "postgresql://app@db/app", "postgresql://app:${PASSWORD}@db/app"),
        ),
    ),
)

_CLOUD = SecretPack(
    "cloud",
    "Cloud platforms",
    "Credentials of Amazon, Google, Microsoft and DigitalOcean.",
    (
        Template(
            "aws-access-key-id",
            "AWS access key ID",
            "Of long-lived (AKIA) and temporary (ASIA) credentials, and bearer tokens of services (ABIA, ACCA).",
            r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
            ("AKIAIOSFODNN7EXAMPLE", f"ASIA{_UPPER[:16]}"),
            ("AKIAIOSFODNN7EXAMPL", "AKIAIOSFODNN7EXAMPLE1", "akiaiosfodnn7example", "XAKIAIOSFODNN7EXAMPLE"),
        ),
        Template(
            "aws-secret-access-key",
            "AWS secret access key",
            "Forty characters that are assigned to a name with secret in it; only they are replaced.",
            r"(?i)\b[\w.-]{0,30}secret[_-]?(?:access[_-]?)?key"
            + _ASSIGNED
            + r"([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)",
            ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", f'"SecretAccessKey": "{_MIXED[:40]}"'),
            (f"aws_secret_access_key = {_MIXED[:39]}", f"commit: {_HEX[:40]}"),
        ),
        Template(
            "google-api-key",
            "Google API key",
            "Keys of Google Cloud, Maps, Firebase and Gemini.",
            r"\bAIza[0-9A-Za-z_-]{35}",
            (f"AIza{_MIXED[:35]}",),
            (f"AIza{_MIXED[:34]}", f"BAIza{_MIXED[:35]}"),
        ),
        Template(
            "google-oauth-secret",
            "Google OAuth client secret",
            "Secrets of OAuth clients of Google Cloud projects.",
            r"\bGOCSPX-[0-9A-Za-z_-]{28}",
            (f"GOCSPX-{_MIXED[:28]}",),
            (f"GOCSPX-{_MIXED[:20]}",),
        ),
        Template(
            "azure-storage-key",
            "Azure storage account key",
            "The key within a connection string.",
            r"(?i)\bAccountKey=([A-Za-z0-9+/]{86}==)",
            (f"AccountName=acme;AccountKey={_MIXED[:86]}==;EndpointSuffix=core.windows.net",),
            (f"AccountKey={_MIXED[:40]}==", "AccountKey=<key>"),
        ),
        Template(
            "digitalocean-token",
            "DigitalOcean token",
            "Personal (dop), OAuth (doo) and refresh (dor) tokens.",
            r"\bdo[opr]_v1_[0-9a-f]{64}\b",
            (f"dop_v1_{_HEX[:64]}",),
            (f"dop_v1_{_HEX[:63]}", f"dox_v1_{_HEX[:64]}"),
        ),
    ),
)

_CODE = SecretPack(
    "code",
    "Code hosting and packages",
    "Tokens of GitHub, GitLab, npm and PyPI.",
    (
        Template(
            "github-token",
            "GitHub token",
            "Personal (ghp), OAuth (gho), user (ghu), server (ghs) and refresh (ghr) tokens.",
            r"\bgh[oprsu]_[A-Za-z0-9]{36,251}\b",
            (f"ghp_{_MIXED[:36]}", f"ghs_{_MIXED[:40]}"),
            (f"ghp_{_MIXED[:35]}", f"ghx_{_MIXED[:36]}"),
        ),
        Template(
            "github-fine-grained-token",
            "GitHub fine-grained token",
            "Personal access tokens with permissions of their own.",
            r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b",
            (f"github_pat_{_MIXED[:22]}_{_MIXED[:59]}",),
            (f"github_pat_{_MIXED[:22]}", f"github_pat_{_MIXED[:22]}_{_MIXED[:58]}"),
        ),
        Template(
            "gitlab-token",
            "GitLab token",
            "Personal (glpat), deploy (gldt), runner (glrt), trigger (glptt) and feed (glft) tokens.",
            r"\bgl(?:pat|dt|rt|ptt|ft)-[0-9A-Za-z_.-]{20,300}",
            (f"glpat-{_MIXED[:20]}",),
            ("glpat-short", f"glx-{_MIXED[:20]}"),
        ),
        Template(
            "npm-token",
            "npm access token",
            "Granular and classic tokens of the npm registry.",
            r"\bnpm_[A-Za-z0-9]{36}\b",
            (f"npm_{_MIXED[:36]}",),
            ("npm_config_registry", f"npm_{_MIXED[:30]}"),
        ),
        Template(
            "pypi-token",
            "PyPI API token",
            "Upload tokens of PyPI and TestPyPI.",
            r"\bpypi-AgE[A-Za-z0-9_-]{50,500}",
            (f"pypi-AgEIcHlwaS5vcmc{_MIXED[:60]}",),
            ("pypi-AgEIcHlwaS5vcmc", "pypi-publish-action"),
        ),
    ),
)

_SERVICES = SecretPack(
    "services",
    "Services",
    "Slack, Stripe, SendGrid, Twilio, Telegram.",
    (
        Template(
            "slack-token",
            "Slack token",
            "Bot (xoxb), user (xoxp), configuration (xoxe) and app-level (xapp) tokens.",
            r"\b(?:xox[abeoprs]|xapp)-[0-9A-Za-z.-]{10,250}",
            ("xoxb-123456789012-1234567890123-aB3dE6gH9jK2mN5pQ8sT1vW4", "xapp-1-A0123456789-1234567890-0a1b2c3d4e"),
            ("xoxb-short", "xox-1234567890123"),
        ),
        Template(
            "slack-webhook",
            "Slack webhook",
            "Addresses that anybody can post to.",
            r"\bhooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,200}",
            (f"hooks.slack.com/services/T01234567/B01234567/{_MIXED[:24]}",),
            ("hooks.slack.com/services/", "slack.com/services/T01234567/B01234567/aB3dE6gH9jK2mN5pQ8sT1vW4"),
        ),
        Template(
            "stripe-key",
            "Stripe secret key",
            "Secret (sk) and restricted (rk) keys, live and test. Publishable keys are meant to be seen.",
            r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{16,247}\b",
            (f"sk_live_{_MIXED[:24]}", f"rk_test_{_MIXED[:99]}"),
            (f"pk_live_{_MIXED[:24]}", "sk_live_short"),
        ),
        Template(
            "stripe-webhook-secret",
            "Webhook signing secret",
            "Secrets by which Stripe and others sign what they send.",
            r"\bwhsec_[A-Za-z0-9+/]{24,100}",
            (f"whsec_{_MIXED[:32]}",),
            ("whsec_short",),
        ),
        Template(
            "sendgrid-key",
            "SendGrid API key",
            "Keys of Twilio SendGrid.",
            r"\bSG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}",
            (f"SG.{_MIXED[:22]}.{_MIXED[:43]}",),
            (f"SG.{_MIXED[:22]}", "SG.example.com"),
        ),
        Template(
            "twilio-key",
            "Twilio API key",
            "Key SIDs, which go with their secret.",
            r"\bSK[0-9a-f]{32}\b",
            (f"SK{_HEX[:32]}",),
            (f"SK{_HEX[:31]}", f"AC{_HEX[:32]}"),
        ),
        Template(
            "telegram-token",
            "Telegram bot token",
            "What a bot's owner gets from BotFather.",
            r"\b[0-9]{8,10}:AA[0-9A-Za-z_-]{33}",
            (f"1234567890:AA{_MIXED[:33]}",),
            (f"1234567:AA{_MIXED[:33]}", "12345678:AAAA"),
        ),
    ),
)

_MODELS = SecretPack(
    "models",
    "AI providers",
    "Keys of model providers, and those of this gateway.",
    (
        Template(
            "openai-key",
            "OpenAI API key",
            "Keys of projects, service accounts and administrators, and older ones.",
            r"\bsk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,250}|\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}\b",
            (f"sk-proj-{_MIXED[:60]}", f"sk-{_MIXED[:20]}T3BlbkFJ{_MIXED[:20]}"),
            ("sk-proj-short", "a task-proj-aB3dE6gH9jK2mN5pQ8sT1vW4 is no key", f"sk-{_MIXED[:20]}"),
        ),
        Template(
            "anthropic-key",
            "Anthropic API key",
            "Keys (api), administrators' keys (admin) and OAuth tokens (oat, ort).",
            r"\bsk-ant-[a-z]{2,10}[0-9]{2}-[A-Za-z0-9_-]{20,250}",
            (f"sk-ant-api03-{_MIXED[:93]}",),
            ("sk-ant-api03-short", f"sk-ant-{_MIXED[:30]}"),
        ),
        Template(
            "huggingface-token",
            "Hugging Face token",
            "User access tokens.",
            r"\bhf_[A-Za-z0-9]{34}\b",
            (f"hf_{_MIXED[:34]}",),
            ("hf_transformers", f"hf_{_MIXED[:33]}"),
        ),
        Template(
            "openrouter-key",
            "OpenRouter API key",
            "Keys of OpenRouter accounts.",
            r"\bsk-or-v1-[0-9a-f]{64}\b",
            (f"sk-or-v1-{_HEX[:64]}",),
            (f"sk-or-v1-{_HEX[:60]}",),
        ),
        Template(
            "gateway-key",
            "Key of this gateway",
            "What people call this gateway with.",
            r"\bsg_[A-Za-z0-9]{12}_[A-Za-z0-9]{49}\b",
            (f"sg_{_MIXED[:12]}_{_MIXED[:49]}",),
            (f"sg_{_MIXED[:12]}", f"msg_{_MIXED[:12]}_{_MIXED[:49]}"),
        ),
    ),
)

_PAYMENT = SecretPack(
    "payment",
    "Payment",
    "Numbers of payment cards.",
    (
        Template(
            "payment-card",
            "Payment card number",
            "13 to 19 digits, by themselves or in groups, that end in the right check digit.",
            r"\b(?:3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}|[2-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,7})\b",
            ("4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "6011111111111117", "3782 822463 10005"),
            ("4111 1111 1111 1112", "1234567890123456", "2024-11-24 12:00:00", "4444444444444444", "41111111111111111"),
            check=SecretCheck.LUHN,
        ),
    ),
)

PACKS = (_KEYS, _CLOUD, _CODE, _MODELS, _SERVICES, _PAYMENT)
