export type { BudgetStanding } from './budget-standing.ts';
export {
  type Cache,
  type CachedPictures,
  cacheable,
  cachedGeneration,
  createMemoryCache,
  type MemoryCacheOptions,
} from './cache.ts';
export { type CacheScope, type CacheWishes, cacheKey, shareKey, wantsCache } from './cache-key.ts';
export type { Adaptation, Capabilities, MaskPolarity, SizeRule } from './capabilities.ts';
export { createMemoryCells } from './cells.ts';
export {
  type ChatBody,
  type ChatHead,
  type ChatPlan,
  type ChatRequest,
  type ChatSink,
  type ChatUsage,
  isChatPlan,
} from './chat/chat.ts';
export { chatModelNames, chatModelOf, chatTarget } from './chat/chat-names.ts';
export { CHAT_ENDPOINTS, type ChatEndpoint } from './chat/endpoints.ts';
export { chatErrorEvent, nextSequenceNumber } from './chat/error-event.ts';
export { chatAdvice, chatHttpAnswer, chatMayRepeat } from './chat/http-answer.ts';
export { jsonAnswer } from './chat/json-answer.ts';
export { memberSpans } from './chat/json-spans.ts';
export { type PlannedChat, planChat } from './chat/plan-chat.ts';
export { type ReadChat, readChat } from './chat/read-chat.ts';
export { type ChatAsked, runChat } from './chat/run-chat.ts';
export { estimatedUsage } from './chat/usage.ts';
export { isChatModel, isImageModel } from './chat-models.ts';
export type { Chat, ChatOptions, ChatResult, ChatStream } from './client/chat.ts';
export type { ChatFacts } from './client/chat-call.ts';
export type { ClientConfig, ClientProvider } from './client/engine.ts';
export type { GenerateParams, ImageResult } from './client/images.ts';
export { type Client, createClient } from './client.ts';
export { type Cost, costOf } from './cost.ts';
export {
  type Connection,
  hostCredential,
  type Repeats,
  type RewriteAsked,
  RUN_LIMITS,
  type RunEnvironment,
  type RunLimits,
  type Turns,
} from './environment.ts';
export {
  APIConnectionError,
  APITimeoutError,
  AuthenticationError,
  BadRequestError,
  CanceledError,
  ConflictError,
  type ErrorTelling,
  errorFor,
  InternalServerError,
  NotFoundError,
  PermissionError,
  RateLimitError,
} from './error-classes.ts';
export { type ErrorContext, OnetakeError } from './errors.ts';
export {
  type Certainty,
  type Clock,
  type ErrorType,
  FAILURES,
  type Failure,
  type FailureKind,
} from './failure.ts';
export type { ClosedGate, Gate } from './gates.ts';
export { foldGeneration, type Generation } from './generation.ts';
export { createHealthBook, HEALTH_POLICY, type HealthBook, type HealthPolicy, type TargetReport } from './health.ts';
export { createHostLoads, type HostLoads } from './host-loads.ts';
export { embeddedPicture, type HttpBody, type HttpRequest, type Part } from './http.ts';
export { adviceFor, billed, callerMayRepeat, type HttpAnswer, httpAnswer } from './http-answer.ts';
export { type Asset, type AssetStore, type AssetWriter, IMAGE_TYPES, type ImageType } from './images/asset.ts';
export { createIntake, type Intake, type Settled } from './images/intake.ts';
export { createMemoryAssets } from './images/memory-assets.ts';
export { type Io, type Receiver, type SendOptions, TransportError, type WirePhase } from './io.ts';
export {
  type Attempt,
  type Event,
  foldRun,
  type GeneratedImage,
  gravest,
  type Journal,
  missingOf,
  type Outcome,
  openAttempt,
  paidAttempts,
  type Run,
  type Timing,
} from './journal.ts';
export { isObject, type JsonObject, type JsonValue, parseJson } from './json.ts';
export { type LedgerLine, ledgerOf, type Spend } from './ledger.ts';
export { listModels } from './listed-models.ts';
export {
  type Catalogue,
  modelNames,
  modelOf,
  type PolicySettings,
  type Route,
  retirementAt,
  splitTarget,
} from './model-names.ts';
export { nearMatches } from './near-matches.ts';
export { createPacer, type PacerOptions, type WakefulPacer } from './pacer.ts';
export type { Cells, Claim, Delay, LimitReport, Pacer, RateUse, Ticket, Turn, TurnRequest } from './pacing.ts';
export type {
  OutputMismatch,
  PassedOver,
  Payment,
  Plan,
  PlannedTarget,
  Policy,
  RunPlan,
  SuspectPolicy,
  TraceContext,
} from './plan.ts';
export type { ConfiguredRules } from './plan-prompt.ts';
export { withoutPermits } from './policy/admission.ts';
export { createFairClock, type FairClock, type FairTag } from './policy/fair-queue.ts';
export { readHint } from './policy/hints.ts';
export { type LimitReading, readLimits } from './policy/limit-words.ts';
export { askForMilder, type MilderWords, readMilder } from './policy/milder-words.ts';
export { KNOWN_PLACEHOLDERS } from './policy/placeholders.ts';
export type { Presence } from './policy/presence.ts';
export type { PromptFinding } from './policy/prompt-finding.ts';
export { checkPrompt, type PromptRules } from './policy/prompt-rules.ts';
export { type ReadRules, readPromptRules, starterRules } from './policy/prompt-rules-file.ts';
export {
  DEFAULT_MAX_PAID,
  DEFAULT_MAX_RUNGS,
  type Ladder,
  MAX_RUNGS,
  RUNGS,
  type Rung,
} from './policy/refusal-ladder.ts';
export { isRewritten, rewriteOf, targetInForce } from './policy/refusal-steps.ts';
export { diffLine, diffOf, type PieceChange, type PromptChange, type Rewrite } from './policy/rewrite.ts';
export { fitsAt, recorded, type UseLog, usedWithin } from './policy/sliding-window.ts';
export { type Examined, type Scored, score, suspicions, type Wanted } from './policy/suspects.ts';
export type { TakenRung } from './policy/taken-rung.ts';
export { TIMEOUTS } from './policy/timeout.ts';
export { changesBetween } from './policy/word-changes.ts';
export { type Price, picturesAheadMicroUsd } from './price.ts';
export { blankChatModel, readChatModel } from './providers/chat-model-data.ts';
export { type ComfyuiSettings, comfyuiProvider } from './providers/comfyui.ts';
export { readWorkflow, type Workflow } from './providers/comfyui-workflow.ts';
export { PROVIDERS } from './providers/index.ts';
export { type ModelFile, readModel, readModelFile } from './providers/model-data.ts';
export { capabilityFacts } from './providers/model-facts.ts';
export { openai, openaiCompatible } from './providers/openai.ts';
export { OPENAI_TIERS, openaiTierLimits } from './providers/openai-tiers.ts';
export type { Access, ChatModel, Credential, ListedModel, Model, Provider } from './providers/provider.ts';
export { type SandboxAddress, sandboxProvider } from './providers/sandbox.ts';
export { sandboxTaskProvider } from './providers/sandbox-task.ts';
export { type Limits, parseRate, type Rate } from './rate.ts';
export { createRepeats } from './repeats.ts';
export type { ImageRequest, Operation, PictureSource } from './request.ts';
export { fieldsFor } from './request-for.ts';
export { type Retirement, retirementOf } from './retired.ts';
export { keysOf, limitsOf, type Planned, planImage, splitPlan } from './route.ts';
export { PARKED, run } from './run.ts';
export { DRAWN_SEEDS } from './seed.ts';
export { spendOf } from './spend.ts';
export { type RefusalReport, refusalReport } from './suggestions.ts';
export type { Look, Placeholder, Suspicion, SuspicionCode, Unseen } from './suspects.ts';
export { systemIo } from './system-io.ts';
export { isPublicAddress } from './transport/public-address.ts';
export { QueueFullError } from './turn-queue.ts';
export { createTurns, type FirstTurn } from './turns.ts';
export { type KeyPlace, type UpstreamAsked, type UpstreamRequest, upstreamRequest } from './upstream-request.ts';
export { withoutWords } from './without-words.ts';
