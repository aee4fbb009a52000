// What the parts of the handheld promise each other. `Device` (device.js) is the face; screens use nothing behind it.

export type Fields = Record<string, any>;
export type Members = Record<string, any[]>;

export interface Position {
  lon: number; lat: number; crs: "EPSG:4326" | "EPSG:4490" | "GCJ-02" | "BD-09";
  accuracy_m?: number; provider?: string; fixed_at?: string; mock?: boolean;
}

export interface About { type: string; id: string }

export interface User { id: string; username: string; name: string; roles: string[]; scopes: string[]; unit?: string | null }

/** A record as the server last gave it. */
export interface Row { type: string; id: string; version: number; scope: string; fields: Fields; updated_at: string | null }

/** A mutation made here: `waiting` -> `applied` | `held` | `quarantined` -> `done`; `body` is it without its number. */
export interface Made {
  made: number; n: number; id: string; type: string; record_id: string; group: string | null;
  body: Fields; made_at: string; state: "waiting" | "applied" | "held" | "quarantined" | "done";
  version: number | null; outcome: Fields | null; settled: Fields | null;
}

/** A record as a person on this device sees it: the row with what was made here since. `version` is the base of an edit
 *  made on it, 0 where the server has none yet; `unsent` counts what the server has not acknowledged. */
export interface Shown {
  type: string; id: string; version: number; scope: string; fields: Fields; updated_at: string | null;
  unsent: number; problems: Fields[];
}

/** A photo: `waiting` -> `stored` (the server has all bytes) -> `verified`, or `refused`, `damaged`, `dismissed`, `gone`. */
export interface Photo {
  sha256: string; bytes: number; media_type: string; added_at: string; state: string; kept: boolean;
  url: string | null; offset: number; mismatches: number; problem: string | null; verified_at: string | null;
  /** Since when this device knows that the server will not have it. */
  lost_at?: string | null;
}

export interface Health {
  unsent: number; oldest_unsent_at: string | null; unsent_bytes: number; unsent_photos: number; device_time: string;
}

/** One `sync`: mutations delivered and still waiting, conflicts opened, quarantined, photos uploaded and still waiting,
 *  changes received. */
export interface Report {
  delivered: number; waiting: number; conflicts: number; quarantined: number; uploaded: number;
  photos_waiting: number; received: number;
}

/** Makes mutations; within `group` all of them in one transaction. Each throws TooLarge for what the server would not take
 *  (an edit by the keys of a map is taken apart first) and QuotaExceededError (DOMException) when the disk is full: then nothing of it was written. */
export interface Maker {
  create(type: string, fields: Fields, scope: string, options?: { id?: string }): string;
  edit(type: string, id: string, change: { set?: Fields; add?: Members; remove?: Members; scope?: string }, base: number): void;
  command(type: string, id: string, name: string, args: Fields, expect: Fields | null, base: number): void;
  remove(type: string, id: string, reason: string, base: number): void;
}

export interface Together { apart?: boolean; once?: string; draft?: { id: string; kind?: string; value?: any } }

export interface Captured {
  about: About; role: string; scope: string; captured_at?: string; position?: Position | null; note?: string;
  captured_elapsed_ms?: number; boot_id?: string; media_type?: string;
  /** Of the evidence record, where a form has written it down before. */
  id?: string;
}

export type SyncState = {
  /** What is being done now, null when nothing is. */
  doing: null | "hello" | "push" | "upload" | "pull" | "receipt";
  /** The last failure, until a sync went through. `kind` is the problem's code, or `unreachable`, `disk_full`, `log_refused`
   *  (the server's journal is not the one that it was), `broken` (an error of this app). */
  failure: null | { kind: string; action: string; title?: string; detail: string; at: string };
  last_ok_at: string | null; paused: boolean; wifi_only: boolean;
  /** Bytes of the photo on its way, null when none is. */
  photo: null | { sha256: string; sent: number; bytes: number };
};

export interface Device {
  readonly id: string;
  /** The thumbprint of its public key (RFC 7638). */
  readonly fingerprint: string;
  readonly user: User;
  readonly scopes: string[];
  readonly state: "enrolled" | "revoked" | "forked";
  /** How far this clock is ahead of the server's, ms, as last measured; null when never. */
  readonly clock_offset_ms: number | null;

  // making: never needs a network, resolves when it is on disk
  create(type: string, fields: Fields, scope: string, options?: { id?: string }): Promise<string>;
  edit(type: string, id: string, change: { set?: Fields; add?: Members; remove?: Members; scope?: string; base?: number }): Promise<void>;
  /** `base` is the version looked at, that of the row here when left out. */
  command(type: string, id: string, name: string, args?: Fields, expect?: Fields | null, base?: number): Promise<void>;
  remove(type: string, id: string, reason: string, base?: number): Promise<void>;
  /** What `work` makes is all-or-nothing, here and on the server; with `apart` only here, and the server judges each by
   *  itself. `once` names the record that is made of the draft of the same id: nothing is made where it was made before, in
   *  another tab perhaps, and the draft ends in the same transaction. `draft` is written in it, too; one without a value ends.
   *  `work` must not await. */
  group(work: (maker: Maker) => void, options?: Together): Promise<void>;
  /** Take a photo into evidence: exact bytes, digest, chain entry, record and waiting file in one transaction. Gives the
   *  evidence record's id. */
  capture(photo: Blob, captured: Captured): Promise<string>;
  newId(): string;

  // seeing
  get(type: string, id: string): Promise<Shown | null>;
  /** By id; the same array until a record of the type changes, so it is not to be changed. */
  records(type: string): Promise<Shown[]>;
  /** Every mutation that is not done, or all with `{all: true}`, in the order of making. */
  outbox(options?: { all?: boolean; record_id?: string }): Promise<Made[]>;
  photos(state?: string): Promise<Photo[]>;
  /** The bytes while they are here; null after they were removed. */
  bytes(sha256: string): Promise<Blob | null>;
  /** A small picture, at most 320 px, made at capture or brought; null while there is none here. */
  thumb(sha256: string): Promise<Blob | null>;
  /** The best picture that is here: the bytes, else a copy of 1600 px, else the small one; null for none. */
  picture(sha256: string): Promise<Blob | null>;
  /** Bring the server's small copy, or that of 1600 px; true when it is here. Those that tasks are about come by themselves. */
  bringPicture(sha256: string, kind: "thumb" | "screen"): Promise<boolean>;
  events(): Promise<Fields[]>;
  health(): Promise<Health>;
  everythingDelivered(): Promise<boolean>;
  /** The server's signed receipt, as text. */
  receipt(): Promise<string | null>;
  /** Everything undelivered in one file, for `bin/menqian outbox import`. */
  bundle(): Promise<Blob>;

  // small things that this device keeps for its screens: drafts, favourites, settings
  keep(name: string, value: any): Promise<void>;
  kept<T>(name: string, otherwise?: T): Promise<T>;
  drafts(): Promise<{ id: string; kind: string; saved_at: string; value: any }[]>;
  saveDraft(id: string, kind: string, value: any): Promise<void>;
  dropDraft(id: string): Promise<void>;

  // talking: one tab at a time (Web Locks); throws Unreachable and Problem, and nothing is lost by either
  sync(): Promise<Report>;
  /** Let a photo that was refused, or damaged on its way, wait once more. */
  sendAgain(sha256: string): Promise<void>;
  /** Ask for a sync soon: now if there is a network, else when the browser says so (background sync: then with `background`). */
  syncSoon(options?: { background?: boolean }): void;
  readonly syncing: SyncState;
  /** Paused, nothing is sent but by `sync()`, and no photo by that either; `wifi_only` holds the photos, where the browser
   *  tells what line it has. */
  configure(options: { paused?: boolean; wifi_only?: boolean }): Promise<void>;
  /** The "scope type" of which server and device hold different rows; empty when all agree. Asks the server. */
  verify(): Promise<string[]>;
  /** Become a new device of the same person by a new invitation code; the outbox is numbered anew, and
   *  `kept` is kept in the same transaction. */
  enrolAnew(code: string, kept?: Record<string, any>): Promise<void>;
  /** Calls back after every change, made here or in another tab, with false when nothing that is kept changed but only what is
   *  being done (`syncing`); gives the way to stop. */
  onChange(listener: (data: boolean) => void): () => void;
  close(): void;
}
