"""HealthChain's server with one CDS service that gives a fixed card, whatever it is asked."""

from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import Card, CDSRequest, CDSResponse

_CARD = Card(
    summary="HTG117 criteria: information is needed before they can all be answered",
    indicator="warning",
    source={"label": "NICE HealthTech guidance HTG117", "url": "https://www.nice.org.uk/guidance/htg117"},
    detail="A fixed text",
)
_hooks = CDSHooksService()


@_hooks.hook("order-sign", id="fixed")
def answer(_request: CDSRequest) -> CDSResponse:
    """The fixed card."""
    return CDSResponse(cards=[_CARD])


app = HealthChainAPI()
app.register_service(_hooks)
