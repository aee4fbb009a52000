// Becoming a device over a bad line, and by a code that is somebody else's: no invitation is spent for nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { enrolDevice } from "../../server/handheld/app/device/device.js";
import { RULES } from "./devices.js";
import { enrolled, invite, NEEDS_SERVER, person, report, URL_OF_SERVER } from "./office.js";
import { Patience } from "../../server/handheld/app/device/client.js";

test("an enrolment whose answer is lost is asked for again by the same key and code", NEEDS_SERVER, async () => {
  let losing = true;
  const asked = [];
  const fetch = async (url, options) => {
    const answer = await globalThis.fetch(url, options);
    if (String(url).endsWith("/devices")) asked.push(JSON.parse(new TextDecoder().decode(options.body)));
    if (losing) throw new TypeError("the line broke");
    return answer;
  };
  const owner = await person("inspector"), code = await invite(owner.user.username);
  const options = { base: URL_OF_SERVER, code, name: "测试机", database: "lost answer", reference: { record_types: RULES }, fetch,
    patience: new Patience({ tries: 1 }) };
  await assert.rejects(enrolDevice(options), { name: "Unreachable" });
  losing = false;
  const device = await enrolDevice(options);
  assert.deepEqual(asked[0].public_key, asked[1].public_key);
  assert.equal(device.user.id, owner.user.id);
  await report(device);
  assert.equal((await device.sync()).delivered, 1);
  device.close();
});

test("a code for somebody else is refused and stays good", NEEDS_SERVER, async () => {
  const [mine, other] = [await person("inspector"), await person("inspector")], code = await invite(other.user.username);
  const device = await enrolled({ owner: mine });
  await report(device);
  await assert.rejects(device.enrolAnew(code), { name: "Problem", code: "invitation_of_another" });
  assert.equal((await device.sync()).delivered, 1);
  const theirs = await enrolDevice({ base: URL_OF_SERVER, code, name: "测试机", database: "theirs", reference: { record_types: RULES } });
  assert.equal(theirs.user.id, other.user.id);
  device.close();
  theirs.close();
});
