// What a keeptab snippet sees. A single expression is its own result; statements `return` theirs.
// `await` may stand anywhere. What is put on `globalThis` lasts as long as the session.

/** Stands for a target wherever CDP wants a session id; lasts across reconnects. */
type TargetHandle = `target:${string}`;

/** Options of one call. */
interface CallOptions {
  /** Deadline in milliseconds, waiting for a connection included. */
  timeoutMs?: number;
  /** Another target than the active one; `null` is the browser itself. */
  sessionId?: TargetHandle | null;
}

/** What a failed call throws. */
interface CallError extends Error {
  kind:
    | 'protocol' | 'not_sent' | 'outcome_unknown' | 'deadline' | 'target_gone' | 'dialog_open' | 'not_connected'
    | 'stale_handle' | 'invalid' | 'refused' | 'too_large' | 'page_exception' | 'navigation_failed';
  /** The browser's error code. */
  code?: number;
  /** What to type next. */
  hint?: string;
}

interface ConnectOptions {
  wsUrl?: string;
  port?: number;
  host?: string;
  profileDir?: string;
  /** Name of a running browser, as `detectBrowsers()` gives it. */
  browser?: string;
  targetId?: string;
  timeoutMs?: number;
}

/** The browser session. Every domain is mounted: `await session.Page.navigate({ url })`. */
declare const session: CdpSession & {
  /** Connects to a browser; without options, to the running one that was started last. */
  connect(options?: ConnectOptions | string): Promise<void>;
  /** Makes a tab the active one: commands of other domains than Browser and Target go to it. */
  use(targetId: string): Promise<TargetHandle>;
  setActiveSession(handle: TargetHandle | undefined): void;
  getActiveSession(): TargetHandle | undefined;
  /** Hears every event until the function it returns is called. Missed events come as 'keeptab.dropped' and 'keeptab.gap'. */
  onEvent(listener: (method: string, params: any, sessionId?: TargetHandle) => void): () => void;
  /** The next event of this name that the predicate accepts. Rejects after `timeoutMs` (30000), or when the session is over. */
  waitFor<E extends keyof CdpEvents>(
    method: E,
    predicate?: ((params: CdpEvents[E], sessionId?: TargetHandle) => unknown) | null,
    timeoutMs?: number,
  ): Promise<CdpEvents[E]>;
  isConnected(): boolean;
  /** Lets go of the browser without ending it. */
  close(): Promise<void>;
};

/** The same with one object argument each. */
declare const cdp: {
  send(request: { method: string; params?: object; sessionId?: TargetHandle | null; timeoutMs?: number }): Promise<any>;
  attachToTarget(request: { targetId: string }): Promise<{ sessionId: TargetHandle }>;
  spec(): Promise<{ domains: { name: string; description: string }[] }>;
  spec(request: { domain: string }): Promise<any>;
  spec(request: { query: string; limit?: number }): Promise<{ name: string; kind: string; description: string }[]>;
  waitFor<E extends keyof CdpEvents>(request: {
    event: E;
    predicate?: (params: CdpEvents[E], sessionId?: TargetHandle) => unknown;
    timeoutMs?: number;
    sessionId?: TargetHandle;
  }): Promise<CdpEvents[E]>;
  on<E extends keyof CdpEvents>(request: { event: E; listener: (params: CdpEvents[E], sessionId?: TargetHandle) => void }): () => void;
  sleep(ms: number | { ms: number }): Promise<void>;
};

/** Tabs of the connected browser, without chrome:// and devtools:// pages. */
declare function listPageTargets(): Promise<CDP.Target.TargetInfo[]>;

/** Running browsers with remote debugging, the one started last first. */
declare function detectBrowsers(): Promise<
  { name: string; profileDir: string; port: number; wsPath: string; wsUrl: string; mtimeMs: number }[]
>;

/** The WebSocket address of a browser. */
declare function resolveWsUrl(options: ConnectOptions | string): Promise<string>;

/** Connects to BU_CDP_PORT, makes BU_TARGET_ID the active tab and enables Page, DOM, Runtime and Network. */
declare function connectToAssignedTarget(): Promise<TargetHandle>;

/** What is known of a domain: its description, and every command, event and type by its name. */
interface CdpDocs {
  readonly description: string;
  readonly [name: string]: any;
}

/** Names and docs of the protocol, to read: `CDP.Page.navigate.description`. */
declare const CDP: { readonly [Domain in keyof CdpSession]: CdpDocs };
