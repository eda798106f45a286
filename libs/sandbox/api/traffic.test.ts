import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTraffic } from './traffic.ts';

test('requests are counted by resource, subresource and verb', () => {
  const traffic = createTraffic();
  traffic.count('', { verb: 'get', resource: 'pods' });
  traffic.count('', { verb: 'get', resource: 'pods' });
  traffic.count('apps.io', { verb: 'patch', resource: 'things/status' });
  assert.equal(
    traffic.metrics(),
    [
      '# TYPE apiserver_request_total counter',
      'apiserver_request_total{group="",resource="pods",subresource="",verb="GET"} 2',
      'apiserver_request_total{group="apps.io",resource="things",subresource="status",verb="PATCH"} 1',
      '',
    ].join('\n'),
  );
});
