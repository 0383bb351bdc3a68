# Made by scripts/python-types.ts from docs/reference/openapi.json; `npm run docs` makes it anew.
"""The control contract: what each endpoint of the daemon takes and gives."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, Dict, List, Literal, TypedDict, Union, overload

from .lines import Lines

if TYPE_CHECKING:  # Type checkers bring it along; nothing needs it when this runs.
    from typing_extensions import NotRequired

Json = Union[str, int, float, bool, None, List[Any], Dict[str, Any]]


EventType = Literal["daemon.start", "daemon.stop", "policy", "run.start", "run.proved", "run.pause", "run.resume", "run.restart", "lineage", "run.end", "process.start", "dns", "flow.open", "flow.out", "flow.close", "action", "approval", "credential", "outcome", "repeat", "denial", "finding", "workspace", "exec", "exec.end", "step", "model", "tool.call", "tool.result", "usage", "response", "record"]


RunState = Literal["starting", "running", "paused", "ended"]


Signal = Literal["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGSTOP", "SIGCONT"]


ExecReason = Literal["exited", "cancelled", "timeout", "not-started", "run"]


class Step(TypedDict):
    trajectory: str
    episode: str
    step: int


class RunEnd(TypedDict):
    code: NotRequired[int]
    signal: NotRequired[str]
    reason: str
    detail: NotRequired[str]


class RunInfoEntries(TypedDict):
    first: int
    last: int


class RunInfoCounts(TypedDict):
    flows: int
    actions: int
    denials: int
    findings: int


class RunInfoFrom(TypedDict):
    snapshot: str
    run: str


RunInfo = TypedDict(
    "RunInfo",
    {
        "run": "str",
        "task": "str",
        "purpose": "str",
        "state": "RunState",
        "command": "List[str]",
        "workspace": "str",
        "workspaceMode": "Literal['overlay', 'read-only']",
        "startedAt": "str",
        "endedAt": "NotRequired[str]",
        "end": "NotRequired[RunEnd]",
        "pauseReason": "NotRequired[str]",
        "entries": "RunInfoEntries",
        "counts": "RunInfoCounts",
        "pid": "NotRequired[int]",
        "attempt": "NotRequired[int]",
        "policy": "NotRequired[str]",
        "narrowed": "NotRequired[bool]",
        "revoked": "NotRequired[List[str]]",
        "lineage": "NotRequired[List[str]]",
        "from": "NotRequired[RunInfoFrom]",
        "publish": "NotRequired[List[str]]",
        "labels": "NotRequired[Dict[str, str]]",
    },
)


class ProcessAncestor(TypedDict):
    pid: int
    exe: str
    exeSha256: NotRequired[str]
    argv: List[str]


class Process(TypedDict):
    pid: int
    exe: str
    exeSha256: NotRequired[str]
    argv: List[str]
    knownBy: Literal["seccomp", "socket", "proc", "unknown"]
    ancestors: List[ProcessAncestor]


class CauseCall(TypedDict):
    id: str
    name: str
    source: Literal["model", "mcp", "hook", "trace"]
    by: Literal["argv", "lineage", "only", "claim", "time"]
    confidence: float


class CauseStep(TypedDict):
    trajectory: str
    episode: str
    step: int
    by: NotRequired[Literal["exec", "call", "process"]]


class Cause(TypedDict):
    call: NotRequired[CauseCall]
    exec: NotRequired[str]
    step: NotRequired[CauseStep]


class Entry(TypedDict):
    type: EventType
    at: str
    monoMs: float
    run: NotRequired[str]
    verdict: NotRequired[Literal["allow", "confirm", "deny"]]
    rule: NotRequired[str]
    system: NotRequired[str]
    target: NotRequired[str]
    flow: NotRequired[str]
    action: NotRequired[str]
    process: NotRequired[Process]
    cause: NotRequired[Cause]
    data: NotRequired[Dict[str, Json]]
    seq: int


class ExecInfo(TypedDict):
    exec: str
    argv: List[str]
    label: NotRequired[str]
    step: NotRequired[Step]
    startedAt: str


class FileInfo(TypedDict):
    path: str
    kind: Literal["file", "folder", "link", "other"]
    bytes: float
    mode: str
    modifiedAt: str
    leadsTo: NotRequired[str]


class FileAt(TypedDict):
    run: str
    path: str
    step: NotRequired[Step]


class FileWrite(TypedDict):
    run: str
    path: str
    step: NotRequired[Step]
    mode: NotRequired[str]


class ExecStartTerminal(TypedDict):
    columns: int
    rows: int
    term: NotRequired[str]


class ExecStart(TypedDict):
    run: str
    argv: List[str]
    cwd: NotRequired[str]
    environment: NotRequired[Dict[str, str]]
    stdin: NotRequired[str]
    interactive: NotRequired[bool]
    terminal: NotRequired[ExecStartTerminal]
    step: NotRequired[Step]
    label: NotRequired[str]
    timeoutMs: NotRequired[int]


class SnapshotInfo(TypedDict):
    snapshot: str
    run: str
    task: str
    workspace: str
    name: NotRequired[str]
    takenAt: str
    bytes: float
    names: float


class LineageInfoPaused(TypedDict):
    at: str
    why: str


class LineageInfo(TypedDict):
    lineage: str
    names: List[str]
    runs: List[str]
    paused: NotRequired[LineageInfoPaused]
    share: NotRequired[float]
    budget: NotRequired[List[str]]


class LineageReached(TypedDict):
    lineage: str
    runs: int
    withinMs: float


class RunStartTask(TypedDict):
    source: str
    fileName: str


class RunStartLineage(TypedDict):
    job: NotRequired[str]
    agent: NotRequired[str]


class RunStartTerminal(TypedDict):
    columns: int
    rows: int
    term: str


RunStart = TypedDict(
    "RunStart",
    {
        "task": "RunStartTask",
        "profile": "NotRequired[str]",
        "command": "List[str]",
        "cwd": "str",
        "path": "str",
        "environment": "Dict[str, str]",
        "lineage": "NotRequired[RunStartLineage]",
        "from": "NotRequired[str]",
        "detach": "bool",
        "labels": "NotRequired[Dict[str, str]]",
        "terminal": "NotRequired[RunStartTerminal]",
    },
)


class DaemonStatusGives(TypedDict):
    pid: float
    version: str
    home: str
    startedAt: str
    runs: int
    waiting: int
    entries: int


class DaemonStopTakes(TypedDict):
    force: bool


class RunListTakes(TypedDict):
    all: bool


class RunShowTakes(TypedDict):
    run: str


class RunCutGives(TypedDict):
    cut: int


class RunRevokeTakes(TypedDict):
    run: str
    grant: str


class RunNarrowTakes(TypedDict):
    run: str
    task: RunStartTask


class RunStepTakes(TypedDict):
    trajectory: str
    episode: str
    step: int
    run: str


LogReadTakes = TypedDict(
    "LogReadTakes",
    {
        "run": "NotRequired[str]",
        "follow": "bool",
        "from": "NotRequired[int]",
        "types": "NotRequired[List[EventType]]",
    },
)


class LedgerProveTakes(TypedDict):
    seq: int


class LedgerProveGives(TypedDict):
    proof: str
    key: str


LedgerPrunedGivesPruned = TypedDict(
    "LedgerPrunedGivesPruned",
    {
        "from": "int",
        "to": "int",
    },
)


class LedgerPrunedGivesLast(TypedDict):
    entry: int
    at: str
    months: int


class LedgerPrunedGives(TypedDict):
    pruned: List[LedgerPrunedGivesPruned]
    last: NotRequired[LedgerPrunedGivesLast]


class WorkspaceDiffGivesChange(TypedDict):
    path: str
    kind: str
    executes: NotRequired[str]
    detail: NotRequired[str]


class WorkspaceDiffGivesCommitRef(TypedDict):
    name: str
    commit: str
    was: str


class WorkspaceDiffGivesCommitSkipped(TypedDict):
    path: str
    why: str


class WorkspaceDiffGivesCommit(TypedDict):
    repository: str
    refs: List[WorkspaceDiffGivesCommitRef]
    skipped: List[WorkspaceDiffGivesCommitSkipped]


class WorkspaceDiffGivesRadiu(TypedDict):
    path: str
    lines: List[str]


class WorkspaceDiffGives(TypedDict):
    changes: List[WorkspaceDiffGivesChange]
    commits: List[WorkspaceDiffGivesCommit]
    radius: List[WorkspaceDiffGivesRadiu]
    text: str
    digest: NotRequired[str]


class WorkspaceApplyTakes(TypedDict):
    run: str
    confirm: List[str]
    only: NotRequired[List[str]]
    partial: bool
    digest: NotRequired[str]


class WorkspaceApplyGives(TypedDict):
    applied: List[str]
    held: List[WorkspaceDiffGivesCommitSkipped]
    conflicts: List[WorkspaceDiffGivesCommitSkipped]
    refused: List[WorkspaceDiffGivesCommitSkipped]
    notes: List[WorkspaceDiffGivesCommitSkipped]
    radius: List[WorkspaceDiffGivesRadiu]
    commits: List[WorkspaceDiffGivesCommit]


class RunExecGivesStarted(TypedDict):
    type: Literal["started"]
    exec: str
    entry: int


class RunExecGivesStdout(TypedDict):
    type: Literal["stdout"]
    data: str


class RunExecGivesStderr(TypedDict):
    type: Literal["stderr"]
    data: str


class RunExecGivesEnded(TypedDict):
    type: Literal["ended"]
    code: NotRequired[int]
    signal: NotRequired[str]
    reason: ExecReason
    detail: NotRequired[str]


class ExecInputTakes(TypedDict):
    run: str
    exec: str
    data: NotRequired[str]
    end: NotRequired[bool]


class ExecSignalTakes(TypedDict):
    run: str
    exec: str
    signal: Signal


class ExecResizeTakes(TypedDict):
    run: str
    exec: str
    columns: int
    rows: int


class ExecCancelTakes(TypedDict):
    run: str
    exec: str


class FileListTakes(TypedDict):
    run: str
    path: str
    step: NotRequired[Step]
    depth: NotRequired[int]


class FileMoveTakes(TypedDict):
    run: str
    path: str
    step: NotRequired[Step]
    to: str


class LineageShowTakes(TypedDict):
    lineage: str


class RunSnapshotTakes(TypedDict):
    run: str
    name: NotRequired[str]


class SnapshotRemoveTakes(TypedDict):
    snapshot: str


class CredentialListGiveBinding(TypedDict):
    scheme: str
    hosts: List[str]
    port: int


class CredentialListGive(TypedDict):
    name: str
    binding: CredentialListGiveBinding
    how: Dict[str, str]
    fingerprint: str
    createdAt: str
    rotatedAt: NotRequired[str]
    usedAt: NotRequired[str]


class CredentialShowTakes(TypedDict):
    name: str


class CredentialAddTakesSpec(TypedDict):
    name: str
    binding: CredentialListGiveBinding
    how: Dict[str, str]


class CredentialAddTakesSecret(TypedDict):
    value: str
    clientSecret: NotRequired[str]
    sessionToken: NotRequired[str]


class CredentialAddTakes(TypedDict):
    spec: CredentialAddTakesSpec
    secret: CredentialAddTakesSecret


class CredentialRotateTakes(TypedDict):
    name: str
    secret: CredentialAddTakesSecret


class CredentialRevealTakes(TypedDict):
    name: str
    confirm: str


class CredentialRevealGives(TypedDict):
    secret: str


class CredentialTestTakes(TypedDict):
    name: str
    method: Literal["GET", "HEAD"]
    path: str
    host: NotRequired[str]
    dial: NotRequired[str]


class CredentialTestGives(TypedDict):
    verdict: Literal["accepted", "refused", "unclear"]
    status: int
    target: str


class CredentialImportTakes(TypedDict):
    agent: Literal["claude", "codex", "gemini"]
    text: str
    clientSecret: NotRequired[str]


class CredentialUnlockTakes(TypedDict):
    passphrase: str


class CredentialProtectTakes(TypedDict):
    passphrase: NotRequired[str]


class ConsoleAnnounceTakes(TypedDict):
    port: int
    origin: NotRequired[str]


class AdapterAnnounceTakes(TypedDict):
    kind: Literal["e2b"]
    port: int


class ApprovalsListGive(TypedDict):
    id: str
    run: str
    task: str
    system: str
    kind: str
    verb: str
    effects: List[Literal["read", "read-private", "write", "publish", "send", "execute", "delete", "administer", "spend"]]
    summary: str
    target: str
    state: str
    createdAt: str
    expiresAt: str
    notBefore: NotRequired[str]
    mayBeginUntil: NotRequired[str]
    by: List[str]
    needs: int
    reason: str
    note: str
    variantOf: NotRequired[str]
    joins: int


class ApprovalsShowTakes(TypedDict):
    id: str
    columns: NotRequired[int]
    isBrief: NotRequired[bool]


class ApprovalsShowGivesActionPart(TypedDict):
    verb: str
    effects: List[Literal["read", "read-private", "write", "publish", "send", "execute", "delete", "administer", "spend"]]
    object: NotRequired[List[str]]
    count: NotRequired[int]


class ApprovalsShowGivesActionCarrie(TypedDict):
    what: str
    where: str
    digest: str


class ApprovalsShowGivesActionImpactAmount(TypedDict):
    currency: str
    value: str


class ApprovalsShowGivesActionImpact(TypedDict):
    recipients: NotRequired[List[str]]
    amount: NotRequired[ApprovalsShowGivesActionImpactAmount]
    reversible: bool
    takesEffectAt: NotRequired[str]


class ApprovalsShowGivesActionTrace(TypedDict):
    traceId: str
    spanId: str


class ApprovalsShowGivesAction(TypedDict):
    id: str
    run: str
    at: str
    monoMs: float
    system: str
    kind: str
    verb: str
    effects: List[Literal["read", "read-private", "write", "publish", "send", "execute", "delete", "administer", "spend"]]
    target: str
    summary: str
    fields: Dict[str, Json]
    digest: str
    parts: NotRequired[List[ApprovalsShowGivesActionPart]]
    carries: NotRequired[List[ApprovalsShowGivesActionCarrie]]
    impact: NotRequired[ApprovalsShowGivesActionImpact]
    cause: Process
    trace: NotRequired[ApprovalsShowGivesActionTrace]


class ApprovalsShowGivesLookContentPostPassageAbout(TypedDict):
    label: str
    line: str


class ApprovalsShowGivesLookContentPostPassageHtml(TypedDict):
    lines: List[str]
    links: List[str]
    unseen: List[str]
    preview: str
    isWhole: bool


class ApprovalsShowGivesLookContentPostPassage(TypedDict):
    label: str
    name: str
    text: str
    about: NotRequired[ApprovalsShowGivesLookContentPostPassageAbout]
    doubts: List[str]
    html: NotRequired[ApprovalsShowGivesLookContentPostPassageHtml]


class ApprovalsShowGivesLookContentPost(TypedDict):
    kind: Literal["post"]
    passages: List[ApprovalsShowGivesLookContentPostPassage]


class ApprovalsShowGivesLookContentMessage(TypedDict):
    kind: Literal["message"]
    passages: List[ApprovalsShowGivesLookContentPostPassage]


class ApprovalsShowGivesLookContentMailLetterEnvelopeRecipient(TypedDict):
    address: str
    named: str


ApprovalsShowGivesLookContentMailLetterEnvelope = TypedDict(
    "ApprovalsShowGivesLookContentMailLetterEnvelope",
    {
        "from": "List[str]",
        "recipients": "List[ApprovalsShowGivesLookContentMailLetterEnvelopeRecipient]",
        "unreached": "List[str]",
    },
)


class ApprovalsShowGivesLookContentMailLetterPeople(TypedDict):
    label: str
    lines: List[str]


ApprovalsShowGivesLookContentMailLetterAttachment = TypedDict(
    "ApprovalsShowGivesLookContentMailLetterAttachment",
    {
        "name": "str",
        "type": "str",
        "bytes": "NotRequired[int]",
        "sha256": "NotRequired[str]",
        "from": "NotRequired[str]",
    },
)


class ApprovalsShowGivesLookContentMailLetter(TypedDict):
    envelope: NotRequired[ApprovalsShowGivesLookContentMailLetterEnvelope]
    people: List[ApprovalsShowGivesLookContentMailLetterPeople]
    passages: List[ApprovalsShowGivesLookContentPostPassage]
    doubts: List[str]
    attachments: List[ApprovalsShowGivesLookContentMailLetterAttachment]
    headers: List[str]
    rest: NotRequired[Json]


class ApprovalsShowGivesLookContentMail(TypedDict):
    kind: Literal["mail"]
    letters: List[ApprovalsShowGivesLookContentMailLetter]
    isPresent: bool


class ApprovalsShowGivesLookContentPayment(TypedDict):
    kind: Literal["payment"]
    amount: NotRequired[str]
    currency: NotRequired[str]
    recipients: List[str]
    passages: List[ApprovalsShowGivesLookContentPostPassage]


class ApprovalsShowGivesLookContentPushRef(TypedDict):
    ref: str
    old: str
    new: str
    how: str


class ApprovalsShowGivesLookContentPushCommit(TypedDict):
    id: str
    author: str
    committer: str
    message: str
    parents: List[str]
    changes: List[str]
    isSigned: bool
    isKnown: bool


class ApprovalsShowGivesLookContentPushTag(TypedDict):
    id: str
    text: str


class ApprovalsShowGivesLookContentPushDiff(TypedDict):
    of: str
    lines: List[str]


class ApprovalsShowGivesLookContentPushPack(TypedDict):
    objects: str
    hash: str


class ApprovalsShowGivesLookContentPush(TypedDict):
    kind: Literal["push"]
    repo: str
    refs: List[ApprovalsShowGivesLookContentPushRef]
    findings: List[str]
    options: List[str]
    commits: List[ApprovalsShowGivesLookContentPushCommit]
    tags: List[ApprovalsShowGivesLookContentPushTag]
    diffs: List[ApprovalsShowGivesLookContentPushDiff]
    pack: NotRequired[ApprovalsShowGivesLookContentPushPack]


class ApprovalsShowGivesLookContentWorkflowNode(TypedDict):
    name: str
    type: str
    kind: str
    does: str
    runsCode: bool
    isOff: bool
    call: NotRequired[str]
    credentials: List[str]
    at: NotRequired[List[Any]]
    source: Json


ApprovalsShowGivesLookContentWorkflowEdge = TypedDict(
    "ApprovalsShowGivesLookContentWorkflowEdge",
    {
        "from": "int",
        "to": "int",
        "kind": "str",
        "output": "int",
    },
)


class ApprovalsShowGivesLookContentWorkflow(TypedDict):
    kind: Literal["workflow"]
    name: str
    isSent: bool
    state: str
    starts: List[str]
    nodes: List[ApprovalsShowGivesLookContentWorkflowNode]
    edges: NotRequired[List[ApprovalsShowGivesLookContentWorkflowEdge]]
    connections: NotRequired[Json]


class ApprovalsShowGivesLookContentSqlAct(TypedDict):
    verb: str
    effects: List[Literal["read", "read-private", "write", "publish", "send", "execute", "delete", "administer", "spend"]]
    object: List[str]
    count: int


class ApprovalsShowGivesLookContentSqlTableRow(TypedDict):
    before: NotRequired[List[Json]]
    after: NotRequired[List[Json]]


class ApprovalsShowGivesLookContentSqlTable(TypedDict):
    columns: List[str]
    rows: List[ApprovalsShowGivesLookContentSqlTableRow]


class ApprovalsShowGivesLookContentSqlInput(TypedDict):
    bytes: int
    sha256: NotRequired[str]
    text: NotRequired[str]
    isCut: bool


class ApprovalsShowGivesLookContentSql(TypedDict):
    kind: Literal["sql"]
    dialect: str
    statement: str
    database: NotRequired[str]
    parameters: List[str]
    acts: List[ApprovalsShowGivesLookContentSqlAct]
    rows: NotRequired[int]
    table: NotRequired[ApprovalsShowGivesLookContentSqlTable]
    notTried: NotRequired[str]
    note: NotRequired[str]
    plan: List[str]
    input: NotRequired[ApprovalsShowGivesLookContentSqlInput]
    problem: NotRequired[str]


class ApprovalsShowGivesLookContentCommandPiece(TypedDict):
    text: str
    act: NotRequired[int]


class ApprovalsShowGivesLookContentCommand(TypedDict):
    kind: Literal["command"]
    of: str
    sent: str
    asked: NotRequired[str]
    pieces: List[ApprovalsShowGivesLookContentCommandPiece]
    acts: List[ApprovalsShowGivesLookContentSqlAct]
    script: NotRequired[str]
    isTerminal: bool
    input: NotRequired[ApprovalsShowGivesLookContentSqlInput]


class ApprovalsShowGivesLookContentFile(TypedDict):
    kind: Literal["file"]
    path: str
    to: NotRequired[str]
    attributes: NotRequired[str]
    mode: NotRequired[str]
    target: NotRequired[str]
    content: NotRequired[ApprovalsShowGivesLookContentSqlInput]
    before: NotRequired[Json]
    there: NotRequired[Json]
    difference: List[str]


class ApprovalsShowGivesLookContentCall(TypedDict):
    kind: Literal["call"]
    tool: NotRequired[str]
    arguments: NotRequired[Json]


class ApprovalsShowGivesLookContentRaw(TypedDict):
    kind: Literal["raw"]
    bytes: int
    sha256: str


class ApprovalsShowGivesLookMore(TypedDict):
    name: str
    value: Json
    isShown: bool


class ApprovalsShowGivesLook(TypedDict):
    content: Union[ApprovalsShowGivesLookContentPost, ApprovalsShowGivesLookContentMessage, ApprovalsShowGivesLookContentMail, ApprovalsShowGivesLookContentPayment, ApprovalsShowGivesLookContentPush, ApprovalsShowGivesLookContentWorkflow, ApprovalsShowGivesLookContentSql, ApprovalsShowGivesLookContentCommand, ApprovalsShowGivesLookContentFile, ApprovalsShowGivesLookContentCall, ApprovalsShowGivesLookContentRaw]
    rest: NotRequired[Json]
    now: List[str]
    change: List[str]
    more: List[ApprovalsShowGivesLookMore]
    hidden: List[str]
    conversation: NotRequired[str]


class ApprovalsShowGivesCall(TypedDict):
    name: str
    input: str
    isCut: bool
    model: NotRequired[str]


class ApprovalsShowGives(TypedDict):
    id: str
    run: str
    task: str
    system: str
    kind: str
    verb: str
    effects: List[Literal["read", "read-private", "write", "publish", "send", "execute", "delete", "administer", "spend"]]
    summary: str
    target: str
    state: str
    createdAt: str
    expiresAt: str
    notBefore: NotRequired[str]
    mayBeginUntil: NotRequired[str]
    by: List[str]
    needs: int
    reason: str
    note: str
    variantOf: NotRequired[str]
    joins: int
    action: ApprovalsShowGivesAction
    code: str
    body: str
    card: str
    isWhole: bool
    look: ApprovalsShowGivesLook
    cause: NotRequired[Cause]
    call: NotRequired[ApprovalsShowGivesCall]
    deeds: List[str]
    leave: NotRequired[List[str]]
    worst: NotRequired[List[str]]
    mayLeave: bool
    strangers: List[str]
    undoMs: int
    changed: List[str]
    isEditable: bool
    alike: NotRequired[str]


class ApprovalsWidensTakes(TypedDict):
    id: str


class ApprovalsWidensGives(TypedDict):
    leave: NotRequired[List[str]]
    worst: NotRequired[List[str]]


class ApprovalsApproveTakesAllowance(TypedDict):
    count: int
    forMs: int
    recipients: NotRequired[int]
    amount: NotRequired[ApprovalsShowGivesActionImpactAmount]


class ApprovalsApproveTakesProofAssertionResponse(TypedDict):
    clientDataJSON: str
    authenticatorData: str
    signature: str


class ApprovalsApproveTakesProofAssertion(TypedDict):
    id: str
    response: ApprovalsApproveTakesProofAssertionResponse


class ApprovalsApproveTakesProof(TypedDict):
    nonce: str
    assertion: ApprovalsApproveTakesProofAssertion


class ApprovalsApproveTakes(TypedDict):
    id: str
    code: str
    digest: NotRequired[str]
    allowance: NotRequired[ApprovalsApproveTakesAllowance]
    proof: NotRequired[ApprovalsApproveTakesProof]


class ApprovalsDenyTakes(TypedDict):
    id: str
    reason: str
    proof: NotRequired[ApprovalsApproveTakesProof]


class ApprovalsUndoTakes(TypedDict):
    id: str
    proof: NotRequired[ApprovalsApproveTakesProof]


class ApprovalsAttachmentTakes(TypedDict):
    id: str
    sha256: str


class ApprovalsAttachmentGives(TypedDict):
    bytes: str


class ApprovalsEditTakes(TypedDict):
    id: str
    body: str
    proof: NotRequired[ApprovalsApproveTakesProof]


class ApprovalsChannelsGivesChannel(TypedDict):
    name: str
    state: str
    error: NotRequired[str]
    strangers: int


class ApprovalsChannelsGives(TypedDict):
    file: NotRequired[str]
    problem: NotRequired[str]
    approvers: List[str]
    needsProof: bool
    channels: List[ApprovalsChannelsGivesChannel]


class ApprovalsTestTakes(TypedDict):
    channel: str


class ApprovalsTestGives(TypedDict):
    places: List[str]


class RecordingsListTakes(TypedDict):
    run: NotRequired[str]
    id: NotRequired[str]


class RecordingsListGive(TypedDict):
    id: str
    run: str
    system: str
    target: str
    startedAt: str
    seconds: float
    bytes: float
    state: Literal["recording", "complete", "incomplete"]
    end: NotRequired[str]
    check: Literal["ok", "changed", "missing", "unrecorded", "removed", "open"]
    entry: NotRequired[int]


class RecordingsReadTakes(TypedDict):
    run: str
    id: str


class PasskeyListGive(TypedDict):
    id: str
    person: str
    label: str
    roles: List[Literal["viewer", "approver", "operator"]]
    rpId: str
    createdAt: str
    usedAt: NotRequired[str]


class PasskeyProveTakesSaid(TypedDict):
    decision: Literal["approve"]
    allowance: NotRequired[ApprovalsApproveTakesAllowance]


class PasskeyProveTakesSaid1(TypedDict):
    decision: Literal["deny"]
    reason: str


class PasskeyProveTakesSaid2(TypedDict):
    decision: Literal["edit"]
    sha256: str


class PasskeyProveTakesSaid3(TypedDict):
    decision: Literal["undo"]


class PasskeyProveTakes(TypedDict):
    id: str
    said: Union[PasskeyProveTakesSaid, PasskeyProveTakesSaid1, PasskeyProveTakesSaid2, PasskeyProveTakesSaid3]
    digest: NotRequired[str]


class PasskeyProveGives(TypedDict):
    nonce: str
    challenge: str
    rpId: str


class PasskeyEnrolTakes(TypedDict):
    person: str
    roles: List[Literal["viewer", "approver", "operator"]]


class PasskeyEnrolGives(TypedDict):
    nonce: str
    challenge: str
    rpId: str
    user: str
    algorithms: List[int]
    known: List[str]
    vouch: NotRequired[PasskeyProveGives]


class PasskeyRegisterTakesMadePasskeyResponse(TypedDict):
    clientDataJSON: str
    attestationObject: str


class PasskeyRegisterTakesMadePasskey(TypedDict):
    id: str
    response: PasskeyRegisterTakesMadePasskeyResponse


class PasskeyRegisterTakesMade(TypedDict):
    nonce: str
    label: str
    passkey: PasskeyRegisterTakesMadePasskey
    vouch: NotRequired[ApprovalsApproveTakesProof]


class PasskeyRegisterTakes(TypedDict):
    person: str
    roles: List[Literal["viewer", "approver", "operator"]]
    made: PasskeyRegisterTakesMade
    by: str


class PasskeyRemoveTakes(TypedDict):
    id: str
    by: NotRequired[str]


class ProbeTaskTakes(TypedDict):
    task: RunStartTask
    grant: NotRequired[str]


class ProbeTaskGivesGrant(TypedDict):
    grant: str
    system: str
    principal: str
    facts: int
    questions: int
    notes: List[str]
    file: NotRequired[str]


class ProbeTaskGives(TypedDict):
    grants: List[ProbeTaskGivesGrant]


class AutonomyTakenTakes(TypedDict):
    task: str


class AutonomyTakenGivesTaken(TypedDict):
    at: str
    run: str
    why: str


class AutonomyTakenGives(TypedDict):
    taken: NotRequired[AutonomyTakenGivesTaken]


class AutonomyRestoreGives(TypedDict):
    restored: bool


class RetentionShowGivesDue(TypedDict):
    ranges: List[LedgerPrunedGivesPruned]
    entries: int


RetentionShowGivesKept = TypedDict(
    "RetentionShowGivesKept",
    {
        "from": "int",
        "to": "int",
        "why": "str",
    },
)


class RetentionShowGivesHold(TypedDict):
    run: str
    why: str
    at: str
    by: str


class RetentionShowGives(TypedDict):
    months: Union[int, Literal["forever"]]
    warning: NotRequired[str]
    cutoff: NotRequired[str]
    due: RetentionShowGivesDue
    kept: List[RetentionShowGivesKept]
    pruned: List[LedgerPrunedGivesPruned]
    last: NotRequired[LedgerPrunedGivesLast]
    holds: List[RetentionShowGivesHold]


class RetentionPruneGives(TypedDict):
    entries: int
    runs: List[str]
    show: RetentionShowGives


class RetentionHoldTakes(TypedDict):
    run: str
    why: str


class BackupHoldGives(TypedDict):
    folder: str
    files: List[str]


class DaemonMetricsGiveSample(TypedDict):
    suffix: NotRequired[str]
    labels: Dict[str, str]
    value: float


class DaemonMetricsGive(TypedDict):
    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    samples: List[DaemonMetricsGiveSample]


class SupportCoverGives(TypedDict):
    bytes: str
    found: int


class Contract(abc.ABC):
    """Every endpoint, typed by its name."""

    @overload
    def call(self, name: Literal["daemon.status"], takes: Dict[str, Any]) -> DaemonStatusGives: ...

    @overload
    def call(self, name: Literal["daemon.stop"], takes: DaemonStopTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["run.start"], takes: RunStart) -> RunInfo: ...

    @overload
    def call(self, name: Literal["run.list"], takes: RunListTakes) -> List[RunInfo]: ...

    @overload
    def call(self, name: Literal["run.show"], takes: RunShowTakes) -> RunInfo: ...

    @overload
    def call(self, name: Literal["run.pause"], takes: RunShowTakes) -> RunInfo: ...

    @overload
    def call(self, name: Literal["run.resume"], takes: RunShowTakes) -> RunInfo: ...

    @overload
    def call(self, name: Literal["run.kill"], takes: RunShowTakes) -> RunInfo: ...

    @overload
    def call(self, name: Literal["run.cut"], takes: RunShowTakes) -> RunCutGives: ...

    @overload
    def call(self, name: Literal["run.revoke"], takes: RunRevokeTakes) -> RunInfo: ...

    @overload
    def call(self, name: Literal["run.narrow"], takes: RunNarrowTakes) -> RunInfo: ...

    @overload
    def call(self, name: Literal["run.step"], takes: RunStepTakes) -> RunInfo: ...

    @overload
    def call(self, name: Literal["ledger.prove"], takes: LedgerProveTakes) -> LedgerProveGives: ...

    @overload
    def call(self, name: Literal["ledger.pruned"], takes: Dict[str, Any]) -> LedgerPrunedGives: ...

    @overload
    def call(self, name: Literal["workspace.diff"], takes: RunShowTakes) -> WorkspaceDiffGives: ...

    @overload
    def call(self, name: Literal["workspace.apply"], takes: WorkspaceApplyTakes) -> WorkspaceApplyGives: ...

    @overload
    def call(self, name: Literal["workspace.discard"], takes: RunShowTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["exec.list"], takes: RunShowTakes) -> List[ExecInfo]: ...

    @overload
    def call(self, name: Literal["exec.input"], takes: ExecInputTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["exec.signal"], takes: ExecSignalTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["exec.resize"], takes: ExecResizeTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["exec.cancel"], takes: ExecCancelTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["file.stat"], takes: FileAt) -> FileInfo: ...

    @overload
    def call(self, name: Literal["file.list"], takes: FileListTakes) -> List[FileInfo]: ...

    @overload
    def call(self, name: Literal["file.folder"], takes: FileAt) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["file.remove"], takes: FileAt) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["file.move"], takes: FileMoveTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["lineage.list"], takes: Dict[str, Any]) -> List[LineageInfo]: ...

    @overload
    def call(self, name: Literal["lineage.show"], takes: LineageShowTakes) -> LineageInfo: ...

    @overload
    def call(self, name: Literal["lineage.pause"], takes: LineageShowTakes) -> LineageReached: ...

    @overload
    def call(self, name: Literal["lineage.resume"], takes: LineageShowTakes) -> LineageReached: ...

    @overload
    def call(self, name: Literal["lineage.kill"], takes: LineageShowTakes) -> LineageReached: ...

    @overload
    def call(self, name: Literal["run.snapshot"], takes: RunSnapshotTakes) -> SnapshotInfo: ...

    @overload
    def call(self, name: Literal["snapshot.list"], takes: Dict[str, Any]) -> List[SnapshotInfo]: ...

    @overload
    def call(self, name: Literal["snapshot.remove"], takes: SnapshotRemoveTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["credential.list"], takes: Dict[str, Any]) -> List[CredentialListGive]: ...

    @overload
    def call(self, name: Literal["credential.show"], takes: CredentialShowTakes) -> CredentialListGive: ...

    @overload
    def call(self, name: Literal["credential.add"], takes: CredentialAddTakes) -> CredentialListGive: ...

    @overload
    def call(self, name: Literal["credential.rotate"], takes: CredentialRotateTakes) -> CredentialListGive: ...

    @overload
    def call(self, name: Literal["credential.revoke"], takes: CredentialShowTakes) -> CredentialListGive: ...

    @overload
    def call(self, name: Literal["credential.reveal"], takes: CredentialRevealTakes) -> CredentialRevealGives: ...

    @overload
    def call(self, name: Literal["credential.test"], takes: CredentialTestTakes) -> CredentialTestGives: ...

    @overload
    def call(self, name: Literal["credential.import"], takes: CredentialImportTakes) -> CredentialListGive: ...

    @overload
    def call(self, name: Literal["credential.unlock"], takes: CredentialUnlockTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["credential.protect"], takes: CredentialProtectTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["approvals.list"], takes: RunListTakes) -> List[ApprovalsListGive]: ...

    @overload
    def call(self, name: Literal["approvals.show"], takes: ApprovalsShowTakes) -> ApprovalsShowGives: ...

    @overload
    def call(self, name: Literal["approvals.widens"], takes: ApprovalsWidensTakes) -> ApprovalsWidensGives: ...

    @overload
    def call(self, name: Literal["approvals.approve"], takes: ApprovalsApproveTakes) -> ApprovalsListGive: ...

    @overload
    def call(self, name: Literal["approvals.deny"], takes: ApprovalsDenyTakes) -> ApprovalsListGive: ...

    @overload
    def call(self, name: Literal["approvals.undo"], takes: ApprovalsUndoTakes) -> ApprovalsListGive: ...

    @overload
    def call(self, name: Literal["approvals.attachment"], takes: ApprovalsAttachmentTakes) -> ApprovalsAttachmentGives: ...

    @overload
    def call(self, name: Literal["approvals.edit"], takes: ApprovalsEditTakes) -> ApprovalsListGive: ...

    @overload
    def call(self, name: Literal["approvals.channels"], takes: Dict[str, Any]) -> ApprovalsChannelsGives: ...

    @overload
    def call(self, name: Literal["approvals.test"], takes: ApprovalsTestTakes) -> ApprovalsTestGives: ...

    @overload
    def call(self, name: Literal["recordings.list"], takes: RecordingsListTakes) -> List[RecordingsListGive]: ...

    @overload
    def call(self, name: Literal["passkey.list"], takes: Dict[str, Any]) -> List[PasskeyListGive]: ...

    @overload
    def call(self, name: Literal["passkey.prove"], takes: PasskeyProveTakes) -> PasskeyProveGives: ...

    @overload
    def call(self, name: Literal["passkey.enrol"], takes: PasskeyEnrolTakes) -> PasskeyEnrolGives: ...

    @overload
    def call(self, name: Literal["passkey.register"], takes: PasskeyRegisterTakes) -> PasskeyListGive: ...

    @overload
    def call(self, name: Literal["passkey.remove"], takes: PasskeyRemoveTakes) -> PasskeyListGive: ...

    @overload
    def call(self, name: Literal["passkey.challenge"], takes: Dict[str, Any]) -> PasskeyProveGives: ...

    @overload
    def call(self, name: Literal["passkey.signIn"], takes: ApprovalsApproveTakesProof) -> PasskeyEnrolTakes: ...

    @overload
    def call(self, name: Literal["probe.task"], takes: ProbeTaskTakes) -> ProbeTaskGives: ...

    @overload
    def call(self, name: Literal["autonomy.taken"], takes: AutonomyTakenTakes) -> AutonomyTakenGives: ...

    @overload
    def call(self, name: Literal["autonomy.restore"], takes: AutonomyTakenTakes) -> AutonomyRestoreGives: ...

    @overload
    def call(self, name: Literal["retention.show"], takes: Dict[str, Any]) -> RetentionShowGives: ...

    @overload
    def call(self, name: Literal["retention.prune"], takes: Dict[str, Any]) -> RetentionPruneGives: ...

    @overload
    def call(self, name: Literal["retention.hold"], takes: RetentionHoldTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["retention.release"], takes: RetentionHoldTakes) -> Dict[str, Any]: ...

    @overload
    def call(self, name: Literal["daemon.metrics"], takes: Dict[str, Any]) -> List[DaemonMetricsGive]: ...

    @overload
    def call(self, name: Literal["support.cover"], takes: ApprovalsAttachmentGives) -> SupportCoverGives: ...

    def call(self, name: str, takes: Any) -> Any:
        """Asks the daemon once."""
        return self._call(name, takes)

    @overload
    def stream(self, name: Literal["log.read"], takes: LogReadTakes) -> Lines[Entry]: ...

    @overload
    def stream(self, name: Literal["run.exec"], takes: ExecStart) -> Lines[Union[RunExecGivesStarted, RunExecGivesStdout, RunExecGivesStderr, RunExecGivesEnded]]: ...

    @overload
    def stream(self, name: Literal["console.announce"], takes: ConsoleAnnounceTakes) -> Lines[Dict[str, Any]]: ...

    @overload
    def stream(self, name: Literal["adapter.announce"], takes: AdapterAnnounceTakes) -> Lines[Dict[str, Any]]: ...

    @overload
    def stream(self, name: Literal["approvals.follow"], takes: Dict[str, Any]) -> Lines[ApprovalsListGive]: ...

    @overload
    def stream(self, name: Literal["recordings.read"], takes: RecordingsReadTakes) -> Lines[ApprovalsAttachmentGives]: ...

    @overload
    def stream(self, name: Literal["backup.hold"], takes: Dict[str, Any]) -> Lines[BackupHoldGives]: ...

    def stream(self, name: str, takes: Any) -> Lines[Any]:
        """Asks the daemon for many; closing ends it."""
        return self._stream(name, takes)

    @abc.abstractmethod
    def _call(self, name: str, takes: Any) -> Any: ...

    @abc.abstractmethod
    def _stream(self, name: str, takes: Any) -> Lines[Any]: ...
