// The tabs that share one device: whose turn it is to talk, and who hears of a change. Serves `device`.

const CHANNEL = "menqian-device-";

/** What the tab that talks says of it. @typedef {{ doing: any, photo: any }} Doing */
/** @typedef {(name: string, options: { ifAvailable?: boolean, mode?: "shared" }, work: (lock: any) => Promise<any>) => Promise<any>} Request */

/** Turns among the parts of one process, where there are no Web Locks: node and very old browsers. @type {Map<string, Promise<any>>} */
const turns = new Map();

/** @type {{ request: Request }} */
export const OWN_TURNS = {
  async request(name, options, work) {
    const before = turns.get(name);
    if (before && options.ifAvailable) return work(null);
    const mine = Promise.resolve(before).then(() => work({ name }));
    const ended = mine.then(() => undefined, () => undefined); // the next in turn does not care how this one ended
    turns.set(name, ended);
    ended.then(() => turns.get(name) === ended && turns.delete(name));
    return mine;
  },
};

/** This tab among those of the same database. */
export class Tabs {
  /** @param {string} database @param {{ request: Request } | undefined} locks */
  constructor(database, locks) {
    this.name = CHANNEL + database;
    this.locks = locks ?? /** @type {any} */ (globalThis.navigator?.locks) ?? OWN_TURNS;
    /** Called after a change made here or elsewhere; the records that it touched are told where it was made
     *  elsewhere. @type {(data: boolean, touched: string[]) => void} */
    this.heard = () => undefined;
    /** Tells this tab from the others. */
    this.own = Math.random();
    /** What another tab last said that it is doing. @type {(Doing & { tab: number }) | null} */
    this.theirs = null;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => {
      if (data.doing.doing) this.theirs = { ...data.doing, tab: data.tab };
      else if (this.theirs?.tab === data.tab) this.theirs = null;
      if (this.theirs) this.#watch();
      this.heard(data.data, data.touched);
    };
    /** @type {any} */ (this.channel).unref?.(); // node: a channel keeps no process alive
    this.closed = this.watching = false;
    this.pending = { data: false, told: true, touched: /** @type {Set<string>} */ (new Set()) };
    /** @type {() => Doing} */
    this.doing = () => ({ doing: null, photo: null });
  }

  /** Let everybody know that something kept here changed (`data`), or only what is being done. Many changes at once are told
   *  once. @param {boolean} data @param {Iterable<string>} [touched] records */
  changed(data, touched = []) {
    this.pending.data ||= data;
    for (const each of touched) this.pending.touched.add(each);
    if (!this.pending.told) return;
    this.pending.told = false;
    setTimeout(() => {
      const kept = this.pending.data;
      this.#post();
      if (!this.closed) this.heard(kept, []);
    }, 0);
  }

  /** Do something that only one tab may do at a time, after those that are at it. @template T @param {() => Promise<T>} work
   * @returns {Promise<T>} */
  turn(work) {
    return this.locks.request(this.name, {}, work);
  }

  /** Is it nobody's turn just now? */
  async free() {
    return this.locks.request(this.name, { ifAvailable: true }, async (/** @type {any} */ lock) => lock !== null);
  }

  close() {
    this.#post(); // others may live on with what this one did last
    this.closed = true;
    this.channel.close();
  }

  /** Tell the other tabs what has not been told yet. */
  #post() {
    const { data, touched, told } = this.pending;
    this.pending = { data: false, told: true, touched: new Set() };
    if (!told && !this.closed) this.channel.postMessage({ data, touched: [...touched], doing: this.doing(), tab: this.own });
  }

  /** Another tab talks: when its turn ends, by its death too, it is doing nothing any more. */
  async #watch() {
    if (this.watching) return;
    this.watching = true;
    await this.locks.request(this.name, { mode: "shared" }, async () => {
      this.watching = false;
      this.theirs = null;
    });
    if (!this.closed) this.heard(false, []);
  }
}
