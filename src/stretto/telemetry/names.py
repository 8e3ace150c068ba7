"""Every name that telemetry uses, in one place: the GenAI semantic conventions of OpenTelemetry, and our own.

The conventions are in development (github.com/open-telemetry/semantic-conventions-genai); the Python package marks its
constants for them deprecated, so they are written down here. What the conventions have no name for begins with
`stretto.`.
"""

from urllib.parse import urlsplit

# ---- operations: the values of `gen_ai.operation.name`

INVOKE_WORKFLOW = "invoke_workflow"
PLAN = "plan"
INVOKE_AGENT = "invoke_agent"
CHAT = "chat"
EXECUTE_TOOL = "execute_tool"
WAIT = "wait"
"""A wait for a person, which the conventions do not know; they allow values of one's own."""

# ---- attributes of the conventions

OPERATION = "gen_ai.operation.name"
AGENT = "gen_ai.agent.name"
WORKFLOW = "gen_ai.workflow.name"
CONVERSATION = "gen_ai.conversation.id"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105  a name, no secret
TOOL = "gen_ai.tool.name"
TOOL_TYPE = "gen_ai.tool.type"
TOOL_CALL = "gen_ai.tool.call.id"
ERROR_TYPE = "error.type"
SERVER_ADDRESS, SERVER_PORT = "server.address", "server.port"

# ---- content, which leaves only when it is asked for

INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
TOOL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_RESULT = "gen_ai.tool.call.result"
ERROR_MESSAGE = "error.message"
RUN_INPUTS = "stretto.run.inputs"
QUESTION = "stretto.request.question"
ANSWER = "stretto.request.answer"
WITHHELD = "stretto.content.withheld"
"""The names of content that was kept back,"""
WITHHELD_LABELS = "stretto.content.labels"
"""and the labels for which it was."""

# ---- a review, as an event on the span of the attempt that it judges

EVALUATION = "gen_ai.evaluation.result"
EVALUATION_NAME = "gen_ai.evaluation.name"
EVALUATION_LABEL = "gen_ai.evaluation.score.label"
EVALUATION_SCORE = "gen_ai.evaluation.score.value"
EVALUATION_WHY = "gen_ai.evaluation.explanation"

# ---- attributes of our own

RUN_STATUS = "stretto.run.status"
RUN_PARENT = "stretto.run.parent"
RUN_TASKS = "stretto.run.tasks"
RUN_COMPLETED = "stretto.run.tasks.completed"
RUN_GAPS = "stretto.run.gaps"
PLAN_REVISION = "stretto.plan.revision"
PLAN_TASKS = "stretto.plan.tasks"
PLAN_MODE = "stretto.plan.mode"
TASK = "stretto.task.id"
SKILL = "stretto.task.skill"
ATTEMPT = "stretto.task.attempt"
OUTCOME = "stretto.attempt.outcome"
HANDOFF = "stretto.handoff.seconds"
ROLE = "stretto.call.role"
EFFECT = "stretto.call.effect"
REQUEST = "stretto.request.id"
REQUEST_KIND = "stretto.request.kind"
DECISION = "stretto.request.decision"
COST = "stretto.cost.usd"
LINK = "stretto.link"
QUEUE_STATE = "stretto.queue.state"

# ---- events of our own

ESCALATED, REMINDED = "stretto.escalated", "stretto.reminded"
PAUSED, CONTINUED = "stretto.paused", "stretto.continued"

# ---- metrics: the conventions' own, with the buckets that they recommend

TOKEN_USAGE = "gen_ai.client.token.usage"  # noqa: S105  a name, no secret
OPERATION_DURATION = "gen_ai.client.operation.duration"
WORKFLOW_DURATION = "gen_ai.workflow.duration"
AGENT_DURATION = "gen_ai.invoke_agent.duration"
TOOL_DURATION = "gen_ai.execute_tool.duration"

TOKEN_BUCKETS = [float(4**power) for power in range(14)]
CALL_BUCKETS = [0.01 * 2**power for power in range(14)]
AGENT_BUCKETS = [0.1 * 2**power for power in range(13)]
WORKFLOW_BUCKETS = [1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0]

# ---- metrics of our own

HANDOFF_DURATION = "stretto.handoff.duration"
WAIT_DURATION = "stretto.wait.duration"
RUN_COST = "stretto.run.cost"
EVALUATIONS = "stretto.evaluations"
QUEUE = "stretto.queue.tasks"
DROPPED = "stretto.telemetry.dropped"

HANDOFF_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0]
WAIT_BUCKETS = [1.0, 10.0, 60.0, 300.0, 1800.0, 3600.0, 14400.0, 86400.0, 604800.0]

# ---- providers, as the conventions call them

_PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure-responses": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "google": "gcp.gemini",
    "google-cloud": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "moonshotai": "moonshot_ai",
    "openai-responses": "openai",
    "xai": "x_ai",
}


def of_model(name: str) -> dict[str, str | int]:
    """Give the attributes that name a model, from a reference like `openai:gpt-5-mini` or `http://HOST:PORT/v1#NAME`.

    An address without a provider's name speaks the chat interface of OpenAI, and counts as that.
    """
    if "://" in name:
        address, _, model = name.partition("#")
        parts = urlsplit(address)
        at: dict[str, str | int] = {SERVER_ADDRESS: parts.hostname} if parts.hostname else {}
        return {PROVIDER: "openai", REQUEST_MODEL: model, **at, **({SERVER_PORT: parts.port} if parts.port else {})}
    provider, _, model = name.partition(":")
    return {PROVIDER: _PROVIDERS.get(provider, provider), REQUEST_MODEL: model or provider}
