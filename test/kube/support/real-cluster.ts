import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../support/free-port.ts'
import { type Access, Api } from './api.ts'

const startMs = 60_000

/** Runs a program of the folder; what it says is kept for when it ends too early. */
function run(program: string, args: readonly string[]): { child: ChildProcess; said: () => string } {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', chunk => {
      said = `${said}${chunk}`.slice(-10_000)
    })
  return { child, said: () => said }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(timer)
}

/** A real kube-apiserver with its etcd, both from this folder, on loopback, with their data in a folder of their own. */
export async function startRealCluster(folder: string, serviceCidrs: readonly string[]) {
  for (const program of ['etcd', 'kube-apiserver'])
    if (!existsSync(join(folder, program)))
      throw new Error(`KUBEBUILDER_ASSETS is ${folder}, which has no ${program}`)
  const data = mkdtempSync(join(tmpdir(), 'kube-'))
  const [client, peer, secure] = [await freePort(), await freePort(), await freePort()]
  const [token, limited] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')]
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  const at = (name: string): string => join(data, name)
  writeFileSync(at('sa.key'), keys.privateKey)
  writeFileSync(at('sa.pub'), keys.publicKey)
  writeFileSync(at('tokens.csv'), `${token},admin,admin,"system:masters"\n${limited},limited,limited\n`)

  const etcd = run(join(folder, 'etcd'), [
    `--data-dir=${at('etcd')}`,
    `--listen-client-urls=http://127.0.0.1:${client}`,
    `--advertise-client-urls=http://127.0.0.1:${client}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    '--unsafe-no-fsync=true',
  ])
  const apiserver = run(join(folder, 'kube-apiserver'), [
    `--etcd-servers=http://127.0.0.1:${client}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${secure}`,
    `--cert-dir=${at('certificates')}`,
    `--service-cluster-ip-range=${serviceCidrs.join(',')}`,
    `--service-account-issuer=https://127.0.0.1:${secure}/`,
    `--service-account-key-file=${at('sa.pub')}`,
    `--service-account-signing-key-file=${at('sa.key')}`,
    `--token-auth-file=${at('tokens.csv')}`,
    '--authorization-mode=RBAC',
    // Pods without a ServiceAccount, as there is no controller to make one.
    '--disable-admission-plugins=ServiceAccount',
    '--allow-privileged=true',
  ])
  const stop = async (): Promise<void> => {
    await end(apiserver.child)
    await end(etcd.child)
    rmSync(data, { recursive: true, force: true })
  }
  const url = `https://127.0.0.1:${secure}`
  const certificate = at('certificates/apiserver.crt')
  const accessNow = (): Access => ({ url, token, ca: readFileSync(certificate, 'utf8') })
  for (const until = Date.now() + startMs; ; await sleep(100)) {
    for (const { child, said } of [etcd, apiserver])
      if (child.exitCode !== null) {
        await stop()
        throw new Error(`${child.spawnfile} ended at once:\n${said()}`)
      }
    if (existsSync(certificate)) {
      const ready = await new Api(accessNow()).ask('GET', '/readyz').catch(() => undefined)
      const first = await new Api(accessNow()).ask('GET', '/api/v1/namespaces/default').catch(() => undefined)
      if (ready?.code === 200 && first?.code === 200) break
    }
    if (Date.now() > until) {
      await stop()
      throw new Error(`kube-apiserver was not ready in time:\n${apiserver.said()}`)
    }
  }
  const access = accessNow()
  const kubeconfig = (): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'test',
          cluster: {
            server: url,
            'certificate-authority-data': Buffer.from(access.ca ?? '').toString('base64'),
          },
        },
      ],
      users: [{ name: 'test', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    })
  return { access, limited, server: undefined, kubeconfig, stop }
}
