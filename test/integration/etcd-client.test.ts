import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connectEtcd, type EtcdClient } from '../../libs/engines/etcd/client/client.ts';
import { type ErrorCode, isError } from '../../libs/errors/catalogue.ts';
import { type EtcdProcess, type EtcdProcesses, startEtcdProcesses } from '../etcd.ts';
import { until } from '../wait.ts';
import { startWriter } from '../writer.ts';

const run = promisify(execFile);
/** For members that elect nobody because the machine is busy: that would be another story than the one told. */
const patience = ['--heartbeat-interval', '300', '--election-timeout', '3000'];
/** How a member answers as long as it knows of no leader, or what it asked of the one before got lost. */
const leaderless = ['ETCD_NO_LEADER', 'ETCD_TIMEOUT'] as const;
/**
 * How a change of membership ends that may be asked for again. etcd's raft drops one that comes before it has noted that the
 * one before is applied, which is a moment after that was answered, and who asked for it waits in vain ("ignored since
 * pending unapplied configuration").
 */
const untaken = ['ETCD_UNHEALTHY_CLUSTER', 'ETCD_TIMEOUT'] as const;
/** What a busy machine may add to a call's deadline. */
const slackMs = 1500;

/** Tries until the call succeeds, or fails otherwise than with one of `codes`; at most 20 s. */
async function retryOn<Result>(
  codes: ErrorCode | readonly ErrorCode[],
  call: () => Promise<Result>,
): Promise<Result> {
  const isPassing = (error: unknown) => [codes].flat().some((code) => isError(error, code));
  for (const deadlineMs = Date.now() + 20_000; ; await sleep(50)) {
    try {
      return await call();
    } catch (error) {
      if (!isPassing(error) || Date.now() > deadlineMs) throw error;
    }
  }
}

function rejectsWith(code: ErrorCode, call: Promise<unknown>, message?: RegExp): Promise<void> {
  return assert.rejects(call, (error: Error) => {
    assert.ok(isError(error, code), `expected ${code}: ${error.stack}`);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

/** That etcd refuses a change of membership, and does not merely drop it. */
const refuses = (code: ErrorCode, change: () => Promise<unknown>, message?: RegExp): Promise<void> =>
  rejectsWith(code, retryOn(untaken, change), message);

/** How long a call takes, in ticks of a timer: a machine that stands still, and with it every deadline, makes none. */
async function elapsedMs(call: Promise<unknown>): Promise<number> {
  const tickMs = 10;
  let elapsed = 0;
  const ticking = setInterval(() => {
    elapsed += tickMs;
  }, tickMs);
  try {
    await call;
  } finally {
    clearInterval(ticking);
  }
  return elapsed;
}

/** The first process, which every test here has. */
function firstOf(processes: EtcdProcesses): EtcdProcess {
  const [first] = processes.members;
  assert.ok(first);
  return first;
}

test('a cluster grows by learners, hands over leadership and shrinks, and no acknowledged write is lost', async (t) => {
  const processes = await startEtcdProcesses({ count: 1, arguments: patience });
  t.after(() => processes.stop());
  const clients: EtcdClient[] = [];
  t.after(() => clients.map((client) => client.close()));
  const connect = (process: EtcdProcess) => {
    const client = connectEtcd(process.endpoint, { timeoutMs: 10_000 });
    clients.push(client);
    return client;
  };
  const first = connect(firstOf(processes));
  const firstId = (await first.status()).memberId;
  const writer = startWriter({ endpoints: processes.endpoints, prefix: 'growth/' });
  t.after(() => writer.stop());

  const grow = async () => {
    let id = '';
    const process = await processes.join(async (peerUrl) => {
      const added = await retryOn(untaken, () => first.addMember([peerUrl], { learner: true }));
      id = added.member.id;
      assert.deepEqual(added.member, { id, name: '', peerUrls: [peerUrl], clientUrls: [], isLearner: true });
      assert.ok(added.members.some((member) => member.id === id));
      await refuses('ETCD_LEARNER_NOT_READY', () => first.promoteMember(id));
      const another = ['http://127.199.1.1:2380'];
      await refuses('ETCD_TOO_MANY_LEARNERS', () => first.addMember(another, { learner: true }));
      await refuses('ETCD_MEMBER_EXISTS', () => first.addMember([peerUrl], { learner: true }));
      return added.members;
    });
    const client = connect(process);
    const status = await client.status();
    assert.equal(status.memberId, id);
    assert.equal(status.isLearner, true);
    assert.equal(status.leaderId, firstId);
    const notForLearners = /rpc not supported for learner/;
    await rejectsWith('ETCD_REFUSED', client.readLinearizable(), notForLearners);
    await rejectsWith('ETCD_REFUSED', client.members(), notForLearners);
    await rejectsWith('ETCD_REFUSED', first.moveLeader(id), /bad leader transferee/);
    await retryOn(['ETCD_LEARNER_NOT_READY', ...untaken], () => first.promoteMember(id));
    await refuses('ETCD_REFUSED', () => first.promoteMember(id), /can only promote a learner member$/);
    return { id, client };
  };
  const second = await grow();
  const third = await grow();

  const members = await first.members();
  assert.deepEqual(
    members.map((member) => member.id),
    [firstId, second.id, third.id].toSorted(),
  );
  assert.deepEqual(members.map((member) => member.name).toSorted(), ['m1', 'm2', 'm3']);
  assert.ok(members.every((member) => !member.isLearner && member.clientUrls.length === 1));
  const { stdout } = await run(process.env['ETCDCTL'] ?? 'etcdctl', ['member', 'list'], {
    env: { ...process.env, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: firstOf(processes).endpoint },
  });
  for (const { id, name } of members) assert.match(stdout, new RegExp(`^${id}, started, ${name}, `, 'm'));

  await rejectsWith('ETCD_NOT_LEADER', second.client.moveLeader(third.id));
  await first.moveLeader(third.id);
  assert.equal((await third.client.status()).leaderId, third.id);
  await refuses('ETCD_MEMBER_NOT_FOUND', () => third.client.removeMember('1234567890abcdef'));

  // The leader itself: etcd allows it, and the others elect another one.
  try {
    await retryOn(untaken, () => third.client.removeMember(third.id));
  } catch (error) {
    // The leader may be gone before it has answered. What follows shows that the removal was carried out.
    if (!isError(error, 'ETCD_UNREACHABLE')) throw error;
  }
  await until('another leader', async () => {
    const { leaderId } = await second.client.status();
    return leaderId === firstId || leaderId === second.id;
  });
  await refuses('ETCD_MEMBER_NOT_FOUND', () => second.client.removeMember(third.id));
  const acknowledged = writer.acknowledged();
  await until('writes after the change', async () => writer.acknowledged() > acknowledged + 10);
  await writer.stop();
  await writer.verify(processes.endpoints());
});

test('a writer goes on through the death of the leader, and what it was promised is there', async (t) => {
  const processes = await startEtcdProcesses({ count: 3, arguments: patience });
  t.after(() => processes.stop());
  const writer = startWriter({ endpoints: processes.endpoints, prefix: 'w/' });
  t.after(() => writer.stop());
  await until('the first writes', async () => writer.acknowledged() > 20);
  const client = connectEtcd(firstOf(processes).endpoint);
  const { leaderId } = await client.status();
  const name = (await client.members()).find((member) => member.id === leaderId)?.name;
  client.close();
  const leader = processes.members.find((member) => member.name === name);
  assert.ok(leader);

  await leader.kill9();
  const acknowledged = writer.acknowledged();
  await until('writes under the next leader', async () => writer.acknowledged() > acknowledged + 20);
  await leader.restart();
  await writer.stop();
  assert.ok(writer.longestPauseMs() > 100, `an election takes longer than ${writer.longestPauseMs()} ms`);
  await writer.verify(processes.endpoints());

  await t.test('and a lost or altered write, and one that is back, would be noticed', async () => {
    await run(process.env['ETCDCTL'] ?? 'etcdctl', ['del', 'w/00000004'], {
      env: { ...process.env, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: leader.endpoint },
    });
    const altering = connectEtcd(leader.endpoint);
    await altering.put('w/00000005', 'something else');
    // The writer has deleted this one.
    await altering.put('w/00000003', 'value of w/00000003');
    altering.close();
    await assert.rejects(writer.verify(processes.endpoints()), {
      name: 'AssertionError',
      message: /1 are lost, 1 wrong, 1 back that were deleted: w\/00000004 w\/00000005 w\/00000003$/,
    });
  });
});

test('a member that was left behind answers with the present members once it has read linearizably', async (t) => {
  const processes = await startEtcdProcesses({ count: 3, arguments: patience });
  t.after(() => processes.stop());
  const listed = await Promise.all(
    processes.members.map(async (member) => {
      const client = connectEtcd(member.endpoint);
      t.after(() => client.close());
      return { member, client, status: await client.status() };
    }),
  );
  const leader = listed.find(({ status }) => status.leaderId === status.memberId);
  const lagging = listed.find((one) => one !== leader);
  assert.ok(leader && lagging);

  // While etcd refuses to add, the members are not connected for long enough yet.
  const { member: added } = await retryOn(untaken, () =>
    leader.client.addMember(['http://127.199.1.1:2380'], { learner: true }),
  );
  const lists = async () => (await lagging.client.members()).some((member) => member.id === added.id);
  await until('the lagging member to list the new one', lists);
  process.kill(lagging.member.pid, 'SIGSTOP');
  await retryOn(untaken, () => leader.client.removeMember(added.id));
  await rejectsWith('ETCD_TIMEOUT', lagging.client.status());
  process.kill(lagging.member.pid, 'SIGCONT');
  // By then it may have tried to lead itself, and the others elect anew.
  await retryOn(leaderless, () => lagging.client.readLinearizable());
  assert.equal(await lists(), false);
});

describe('without quorum', () => {
  let processes: EtcdProcesses;
  let client: EtcdClient;
  /** For what is never answered. */
  let impatient: EtcdClient;
  before(async () => {
    processes = await startEtcdProcesses({ count: 3 });
    client = connectEtcd(firstOf(processes).endpoint, { timeoutMs: 10_000 });
    impatient = connectEtcd(firstOf(processes).endpoint, { timeoutMs: 1000 });
    await until('a quorum agrees', () =>
      client.readLinearizable().then(
        () => true,
        () => false,
      ),
    );
    await Promise.all(processes.members.slice(1).map((member) => member.kill9()));
  });
  after(async () => {
    client.close();
    impatient.close();
    await processes.stop();
  });

  test('a read fails in time, at first and once the member has noticed', async () => {
    const failed = impatient.readLinearizable().then(
      () => assert.fail('a read without quorum'),
      (error) => assert.ok(isError(error, 'ETCD_TIMEOUT') || isError(error, 'ETCD_NO_LEADER'), String(error)),
    );
    assert.ok((await elapsedMs(failed)) < 1000 + slackMs);
    await until('no leader', async () => (await client.status()).leaderId === '0');
    await rejectsWith('ETCD_NO_LEADER', client.readLinearizable());
  });

  test('the members are what this member knows, or from 3.5 on unknown', async () => {
    const { version } = await client.status();
    if (/^3\.[2-4]\./.test(version)) assert.equal((await client.members()).length, 3);
    else await rejectsWith('ETCD_TIMEOUT', impatient.members());
  });

  test('every change is refused at once, and the member still tells its status', async () => {
    const { memberId, errors } = await client.status();
    assert.deepEqual(errors, ['etcdserver: no leader']);
    const changes = [
      () => client.addMember(['http://127.199.1.1:2380'], { learner: true }),
      () => client.removeMember(memberId),
      () => client.promoteMember(memberId),
      () => client.moveLeader(memberId),
      () => client.put('key', 'value'),
    ];
    for (const change of changes) await rejectsWith('ETCD_NO_LEADER', change());
    await rejectsWith('ETCD_NO_LEADER', client.alarms());
  });

  test('a member that is restarted alone cannot be reached, and serves again when the others return', async () => {
    const restarted = firstOf(processes).restart();
    await until('the restarted process', async () => {
      try {
        await impatient.status();
        return false;
      } catch (error) {
        return isError(error, 'ETCD_UNREACHABLE');
      }
    });
    await Promise.all([restarted, ...processes.members.slice(1).map((member) => member.restart())]);
    await retryOn(['ETCD_UNREACHABLE', ...leaderless], () => impatient.readLinearizable());
  });
});

test('a full database is an alarm of its member, and its writes are refused', async (t) => {
  const processes = await startEtcdProcesses({ count: 1, arguments: ['--quota-backend-bytes', '100000'] });
  t.after(() => processes.stop());
  const client = connectEtcd(firstOf(processes).endpoint);
  t.after(() => client.close());
  assert.deepEqual(await client.alarms(), []);
  // etcd compares with the size on disk, which follows within a tenth of a second or so.
  const fill = () =>
    until('the quota to be noticed', async () => {
      await client.put('fill', 'x'.repeat(50_000));
      return false;
    });
  await rejectsWith('ETCD_REFUSED', fill(), /database space exceeded/);
  const { memberId } = await client.status();
  assert.deepEqual(await client.alarms(), [{ memberId, alarm: 'NOSPACE' }]);
});

test('a member that cannot be reached, a frozen one and an aborted signal end the call in time', async (t) => {
  const processes = await startEtcdProcesses({ count: 1 });
  t.after(() => processes.stop());
  const { endpoint, pid } = firstOf(processes);

  const nobody = connectEtcd('127.199.1.1:2379');
  t.after(() => nobody.close());
  await rejectsWith('ETCD_UNREACHABLE', nobody.status(), /ECONNREFUSED/);

  process.kill(pid, 'SIGSTOP');
  const impatient = connectEtcd(endpoint, { timeoutMs: 300 });
  t.after(() => impatient.close());
  // Its threads stop one after the other: one of them may still have accepted the connection.
  const frozen = assert.rejects(
    impatient.status(),
    (error) => isError(error, 'ETCD_UNREACHABLE') || isError(error, 'ETCD_TIMEOUT'),
  );
  assert.ok((await elapsedMs(frozen)) < 300 + slackMs);

  const controller = new AbortController();
  const aborted = connectEtcd(endpoint, { timeoutMs: 20_000, signal: controller.signal });
  t.after(() => aborted.close());
  const pending = assert.rejects(aborted.status(), { message: 'the task was lost' });
  controller.abort(new Error('the task was lost'));
  assert.ok((await elapsedMs(pending)) < slackMs);
  await assert.rejects(aborted.put('key', 'value'), { message: 'the task was lost' });

  process.kill(pid, 'SIGCONT');
  await until('the thawed member answers', () =>
    impatient.status().then(
      () => true,
      () => false,
    ),
  );
});

test('a closed client keeps no process alive, whether it was connected or not', async (t) => {
  const processes = await startEtcdProcesses({ count: 1 });
  t.after(() => processes.stop());
  const script = `
    import { connectEtcd } from './libs/engines/etcd/client/client.ts';
    for (const endpoint of process.argv.slice(1)) {
      const client = connectEtcd(endpoint);
      await client.status().then(() => console.log('up'), () => console.log('down'));
      client.close();
    }
    const closedMs = performance.now();
    process.on('exit', () => console.log(performance.now() - closedMs < 8000 ? 'ended' : 'was kept alive'));`;
  const endpoints = [firstOf(processes).endpoint, '127.199.1.1:2379'];
  const parameters = ['--input-type=module-typescript', '--eval', script, ...endpoints];
  const { stdout } = await run(process.execPath, parameters, { timeout: 60_000 });
  assert.equal(stdout, 'up\ndown\nended\n');
});
