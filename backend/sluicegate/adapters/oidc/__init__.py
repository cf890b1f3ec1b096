"""OpenID Connect: finding out about an issuer, sending people there, and checking what it says of them."""

from sluicegate.adapters.oidc.provider import OidcProvider as OidcProvider
