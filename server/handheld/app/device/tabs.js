// The tabs that share one device: whose turn it is to talk, and who hears of a change. Serves `device`.

const CHANNEL = "menqian-device-";

/** What the tab that talks says of it. @typedef {{ doing: any, photo: any }} Doing */
/** @typedef {(name: string, options: { ifAvailable?: boolean }, work: (lock: any) => Promise<any>) => Promise<any>} Request */

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
    /** What another tab last said that it is doing. @type {Doing | null} */
    this.theirs = null;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }) => {
      this.theirs = data.doing?.doing ? data.doing : null;
      this.heard(data.data, data.touched);
    };
    /** @type {any} */ (this.channel).unref?.(); // node: a channel keeps no process alive
    this.closed = false;
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
      const { data: kept, touched: records } = this.pending;
      this.pending = { data: false, told: true, touched: new Set() };
      if (this.closed) return;
      this.channel.postMessage({ data: kept, touched: [...records], doing: this.doing() });
      this.heard(kept, []);
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
    this.closed = true;
    this.channel.close();
  }
}
