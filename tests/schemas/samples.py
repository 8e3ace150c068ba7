"""One file of each kind in which every field stands that its reader knows."""

WORKSPACE = """
name: all
description: Everything.
goal: Do it.
plan: plan.yaml
agents:
  - calculate
  - agents/job.py
  - agents/writer.md
  - {use: fetch, allow: [example.org], robots: true, seconds: 5, megabytes: 1.5, concurrency: 2}
  - {python: agents/job.py, name: other, provider: cloud, rate: 30/min, breaker: "off", concurrency: 4, backups: [job]}
  - {file: agents/writer.md, name: editor, model: [openai:gpt-5-mini], backups: writer, ladder: {error: [backup, skip]}}
  - {team: team, name: crew, budget: $1, partial: accept, breaker: {failures: 2, window: 4, pause: 1, longest: 9}}
  - use: person
    name: legal
    description: Signs.
    skills:
      - {name: sign, description: d, inputs: {text: string, more: {type: integer}}, output: boolean, labels: [PII],
         evidence: true, who: ann}
      - {name: read, ask: [{who: ann, within: 2h, remind: 30m}, deny]}
inputs: {text: [1, 2]}
rules:
  parallel: 8
  timeout: 12.5
  fan_out: 500
  retries: {transient: 2, error: 0}
  replans: 2
  judge: required
  breaker: {failures: 5}
  most_failures: 25
  stall: 0.5
  unbounded: refuse
  planner: model
  unplanned: ask
ladder:
  transient: [{retry: 3, pause: 0.5}, {revise: 2, pause: 1m}, {with: {temperature: 0}, times: 2, pause: 1}, backup]
  error: {agent: job}
  timed_out: [{ask: ann, within: 2h}, skip]
  "*": [retry, ask]
budget: $1, 200 steps
context: {findings: {type: array, description: what the logs show}, total: integer}
notify:
  - terminal
  - {terminal: true, bell: true, on: request, to: [ann]}
  - {webhook: https://example.org/hook, secret_env: HOOK, timeout: 3, insecure: false, on: [ended], to: ann}
  - {mail: a@example.org, from: b@example.org, server: "smtp.example.org:587", tls: starttls, user_env: U,
     password_env: P, timeout: 2, on: [breaker], to: [ann]}
providers:
  cloud: {concurrency: 8, rate: {requests: 60, tokens: 90000}, breaker: {failures: 3, pause: 10}, perimeter: [public]}
people: {ann: {mail: ann@example.org}, bob: null}
ask:
  approval: [{who: ann, within: 2h}, {who: bob, within: 1d}, deny]
  question: {steps: [{who: ann, within: 90}], otherwise: answer, value: 3, only: true}
  default: ann
models:
  default: openai:gpt-5-mini
  planner: [openai:gpt-5, strong]
  reviewer: {model: "openai:gpt-5"}
  strong:
    model: x
    url: http://localhost:9/v1
    key_env: KEY
    price: {input: 0.25, output: $2, cached: 0.1}
    window: 8000
    max_tokens: 100
    temperature: 0.5
    constrains: true
    tools: false
    concurrency: 4
    rate: 60/min
    timeout: 2m
    perimeter: [public]
    insecure: false
"""

PLAN = """
name: all
goal: Do it.
description: Everything.
inputs:
  plain: value
  none: null
  text: {kind: files, description: d, default: [a], required: false, labels: [PII]}
tasks:
  first:
    id: first
    skill: job.echo
    objective: Say it.
    inputs: {text: {ref: inputs.plain}}
    agent: job
    output: {type: string}
    criteria: [It is short.]
    effect: none
    risk: low
    labels: [PII]
    limits: {timeout: 5, attempts: 2, memory_mb: 100, output_kb: 10, deadline: 1h}
    when: "true"
    tools: [t]
    permissions: p
    writes: findings
    approval: policy
    occurrence: 1
    ladder: {error: [skip]}
    wait: 10s
    undo: {skill: job.undo, inputs: {text: x}}
    budget: $1
    ask: {approval: [{who: ann, within: 1h}, deny]}
  each:
    skill: job.echo
    for_each: {items: {ref: inputs.text}, max: 3, allow_failures: true, parallel: 2}
    after: first
  plain: {skill: job.echo, for_each: [1, 2], undo: job.undo, wait: 3}
  letters: {skill: job.echo, for_each: {literal: [a]}}
  referred: {skill: job.echo, for_each: {ref: inputs.text}}
  gathered: {skill: job.echo, join: {of: [each, plain], take: 1, rest: keep}}
  rounds: {skill: job.echo, repeat: {max: 3, until: "true", pause: 1m, otherwise: keep}}
  more: {skill: job.echo, repeat: 2, join: [each, plain]}
deliver: {ref: first.output}
"""

PLAYBOOK = """
name: one
description: d
intents: ["greet {who}"]
inputs: [who]
tasks:
  check: {include: other, with: {draft: {ref: a.output}}, after: [a], when: "true", objective: o, id: check}
  a: {skill: job.echo, inputs: {text: {ref: inputs.who}}}
deliver: {ref: a.output}
"""

OTHER = """
inputs: [draft]
tasks: {b: {skill: job.echo, inputs: {text: {ref: inputs.draft}}}}
"""

AGENT = """
name: writer
description: Writes.
model: [openai:gpt-5-mini]
skills:
  - {name: draft, description: d, inputs: {question: string}, output: [string], effect: none, evidence: true,
     approval: ask, fresh: 1h, labels: [PII], ladder: {error: [skip]}, ask: ann, timeout: 2m}
  - edit
tools: [calculate.evaluate]
limits: {turns: 3, tool_calls: 4, tokens: 50k, cost: $0.05, timeout: 90, attempts: 2}
temperature: 0.5
max_tokens: 100
inputs: [question]
output: {found: string}
effect: none
evidence: false
approval: policy
fresh: 3
labels: PII
ladder: {error: [skip]}
ask: [{who: ann, within: 1h}, deny]
perimeter: [public]
permissions: [p]
latency: 2s
window: 8000
backups: [job]
provider: cloud
rate: 60/min
breaker: "off"
concurrency: 2
"""

SETTINGS = """
parallel = 3
timeout = 2.5
fan_out = 4
plan_tasks = 10
plan_depth = 5
plan_bytes = 1000
model = "openai:gpt-5"
model_planner = "openai:gpt-5"
model_worker = "openai:gpt-5"
model_reviewer = "openai:gpt-5"
model_synthesiser = "openai:gpt-5"
model_summariser = "openai:gpt-5"
planner = "auto"
fetch_allow = ["example.org"]
[retries]
transient = 2
[models]
planner = "openai:gpt-5"
[telemetry]
endpoint = "http://127.0.0.1:4318"
content = false
labels = ["internal"]
"""
