// Walks through a Node client of Toxiproxy against the API and the Redis of its two arguments.
const assert = require("node:assert");
const net = require("node:net");
const { Toxiproxy } = require("toxiproxy-node-client");

const [api, redis] = process.argv.slice(2);

// get asks Redis for a key: [answer, milliseconds].
function get(addr) {
  const at = addr.lastIndexOf(":");
  const start = Date.now();
  return new Promise((resolve, reject) => {
    const c = net.connect(Number(addr.slice(at + 1)), addr.slice(0, at), () => c.write("GET test\r\n"));
    c.setTimeout(10000, () => c.destroy(new Error("silent")));
    c.on("data", (data) => { resolve([data.toString(), Date.now() - start]); c.destroy(); });
    c.on("end", () => reject(new Error("closed")));
    c.on("error", reject);
  });
}

async function main() {
  const toxiproxy = new Toxiproxy(api);
  assert.match(String(await toxiproxy.getVersion()), /2\.12\.0/);

  const made = await toxiproxy.populate([{ name: "redis", listen: "localhost:0", upstream: redis }]);
  let proxy = made.redis;
  assert.equal((await get(proxy.listen))[0], "$-1\r\n");
  console.log("ok populate");

  const other = await toxiproxy.createProxy({ name: "other", listen: "localhost:0", upstream: "nowhere.invalid:1" });
  const changed = await other.update({ enabled: true, listen: other.listen, upstream: redis });
  assert.equal(changed.upstream, redis);
  await get(changed.listen);
  assert.deepEqual(Object.keys(await toxiproxy.getAll()).sort(), ["other", "redis"]);
  await changed.remove();
  await assert.rejects(toxiproxy.get("other"), /404/);
  console.log("ok create, update, remove");

  const toxic = await proxy.addToxic({ name: "slow", type: "latency", stream: "downstream", toxicity: 1, attributes: { latency: 300, jitter: 0 } });
  assert.ok((await get(proxy.listen))[1] >= 300);
  const slower = await toxic.update({ attributes: { latency: 600, jitter: 0 }, toxicity: 1 });
  assert.equal(slower.attributes.latency, 600);
  assert.ok((await get(proxy.listen))[1] >= 600);
  assert.equal((await proxy.getToxic("slow")).type, "latency");
  await assert.rejects(proxy.addToxic({ name: "slow", type: "latency", attributes: {} }), /409/);
  await slower.remove();
  assert.ok((await get(proxy.listen))[1] < 300);
  console.log("ok toxics");

  await proxy.addToxic({ name: "gone", type: "reset_peer", stream: "downstream", toxicity: 1, attributes: { timeout: 0 } });
  await assert.rejects(get(proxy.listen), { code: "ECONNRESET" });
  await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream });
  await assert.rejects(get(proxy.listen), { code: "ECONNREFUSED" });
  await toxiproxy.reset();
  await get(proxy.listen);
  proxy = await toxiproxy.get("redis");
  assert.equal(proxy.enabled, true);
  await proxy.remove();
  console.log("ok reset");
}

main().catch((err) => { console.error(err); process.exit(1); });
