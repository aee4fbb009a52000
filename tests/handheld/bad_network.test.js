// Over a network that loses requests and answers and sends twice, everything arrives exactly once, on every seed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dice, enrolled, network, NEEDS_SERVER, on_server, quiet, report } from "./office.js";

/** Requests lost, answers lost, sent twice: 15, 15 and 10 of a hundred. */
function draw(roll) {
  return () => {
    const at = roll();
    return at < 0.15 ? "lose_request" : at < 0.3 ? "lose_answer" : at < 0.4 ? "twice" : null;
  };
}

for (const seed of [1, 2, 3]) {
  test(`everything arrives exactly once (seed ${seed})`, NEEDS_SERVER, async () => {
    const ways = [network(), network()], devices = [];
    for (const way of ways) devices.push(await enrolled({ fetch: way.fetch }));
    ways.forEach((way, at) => { way.draw = draw(dice(seed * 10 + at)); });
    const mine = [];
    for (let step = 0; step < 30; step += 1) {
      const device = devices[step % 2], known = [];
      for (const id of mine) if (await device.get("finding", id)) known.push(id);
      if (step % 5 === 0 || !known.length) mine.push(await report(device, { text: `${seed}/${step}` }));
      else await device.edit("finding", known[step % known.length], { set: { text: `${step}` }, add: { tags: [`${step}`] } });
      if (step % 3 === 0) {
        try {
          await device.sync();
        } catch (failure) {
          assert.equal(failure.name, "Unreachable", failure.stack);
        }
      }
    }
    for (const way of ways) way.draw = () => null;
    await quiet(...devices);
    for (const device of devices) {
      assert.deepEqual([await device.outbox(), await device.verify()], [[], []]);
    }
    for (const id of mine) {
      const [one, two] = [await devices[0].get("finding", id), await devices[1].get("finding", id)];
      assert.deepEqual(one, two);
      assert.deepEqual(one.fields, (await on_server("finding", id)).fields);
    }
    for (const device of devices) {
      for (const { record_id, body } of await device.outbox({ all: true })) {
        const tags = (await device.get("finding", record_id))?.fields.tags ?? [];
        for (const tag of body.add?.tags ?? []) assert.ok(tags.includes(tag), `${tag} of ${record_id}`);
      }
      device.close();
    }
    assert.ok(ways.flatMap((way) => way.faults).length > 5);
  });
}
