import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { missing } from '../support/missing.ts'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const rules = at('deploy/kustomize/components/metrics/prometheus-rule.yaml')
const why = missing('prometheus')

/** Series of a metric over minutes, as promtool writes them. */
interface Series {
  readonly series: string
  readonly values: string
}

describe('the alerts', () => {
  let folder = ''

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'carillon-alerts-'))
    const { spec } = parse(readFileSync(rules, 'utf8')) as { spec: object }
    writeFileSync(join(folder, 'rules.yaml'), stringify(spec))
  })

  beforeEach(context => context.skip(why !== undefined, why))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const promtool = (...args: readonly string[]): string =>
    execFileSync('promtool', args, { cwd: folder, encoding: 'utf8' })

  /** Whether an alert fires after some minutes of these series. Fails with what promtool finds to be otherwise. */
  const fires = (alert: string, minutes: number, firing: boolean, series: readonly Series[]): void => {
    const expression = `count(ALERTS{alertname="${alert}", alertstate="firing"}) > bool 0 or vector(0)`
    const test = {
      interval: '1m',
      input_series: series,
      promql_expr_test: [
        {
          expr: expression,
          eval_time: `${minutes}m`,
          exp_samples: [{ labels: '{}', value: firing ? 1 : 0 }],
        },
      ],
    }
    writeFileSync(
      join(folder, 'test.yaml'),
      stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: [test] }),
    )
    expect(promtool('test', 'rules', 'test.yaml')).toContain('SUCCESS')
  }

  const members = (...values: readonly string[]): readonly Series[] =>
    values.map((text, i) => ({ series: `carillon_gossip_members{instance="${i}"}`, values: text }))

  it('are valid, all of them', () => {
    expect(promtool('check', 'rules', 'rules.yaml')).toMatch(/SUCCESS: \d+ rules found/)
  })

  it('tell of a node that is gone, until it is forgotten, and not of one that comes', () => {
    const loss = members('3 3 3 2x30', '3 3 3 2x30')
    fires('CarillonNodeLost', 3, true, loss)
    fires('CarillonNodeLost', 20, false, loss)
    fires('CarillonNodeLost', 3, false, members('3 3 3 4x30', '3 3 3 4x30'))
  })

  it('tell of members that see different members for longer than a moment', () => {
    fires('CarillonMembersDisagree', 5, true, members('3x10', '2x10'))
    fires('CarillonMembersDisagree', 5, false, members('3 3 3 2 3x10', '3x10'))
  })

  it('tell of an address with two owners, and not of a takeover', () => {
    const held = (values: Readonly<Record<string, string>>): readonly Series[] =>
      Object.entries(values).map(([node, text]) => ({
        series: `metallb_speaker_announced{ip="10.0.0.1", protocol="layer2", node="${node}"}`,
        values: text,
      }))
    fires('CarillonTwoOwners', 5, true, held({ a: '1x10', b: '1x10' }))
    fires('CarillonTwoOwners', 5, false, held({ a: '1x2 stale', b: '_ 1x10' }))
  })

  it('tell of an address that nobody announces, unless aggregates hide which', () => {
    const used: Series = {
      series: 'metallb_allocator_addresses_in_use_total{pool="p", instance="a"}',
      values: '2x20',
    }
    const told = (ip: string): Series => ({ series: `metallb_speaker_announced{ip="${ip}"}`, values: '1x20' })
    fires('CarillonAddressUnannounced', 10, true, [used, told('10.0.0.1')])
    fires('CarillonAddressUnannounced', 10, true, [used])
    fires('CarillonAddressUnannounced', 10, false, [used, told('10.0.0.1'), told('10.0.0.2')])
    fires('CarillonAddressUnannounced', 10, false, [used, told('10.0.0.0/24')])
  })

  it('tell of a full pool, a broken configuration, a lost BGP session and a conflict', () => {
    fires('MetalLBAddressPoolExhausted', 5, true, [
      { series: 'metallb_allocator_addresses_in_use_total{pool="p"}', values: '8x10' },
      { series: 'metallb_allocator_addresses_total{pool="p"}', values: '8x10' },
    ])
    fires('MetalLBStaleConfig', 5, true, [
      { series: 'metallb_k8s_client_config_stale_bool{}', values: '1x10' },
    ])
    fires('MetalLBBGPSessionDown', 5, true, [
      { series: 'metallb_bgp_session_up{peer="p"}', values: '1 0x10' },
    ])
    fires('CarillonAddressConflict', 5, true, [
      { series: 'carillon_layer2_conflicts{ip="10.0.0.1"}', values: '0 0 0 4x10' },
    ])
  })
})

describe('the dashboard', () => {
  interface Panel {
    readonly id: number
    readonly targets: readonly { readonly expr: string }[]
    readonly title: string
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  }
  const { panels } = JSON.parse(readFileSync(at('deploy/dashboards/carillon.json'), 'utf8')) as {
    panels: readonly Panel[]
  }

  it('asks in expressions that are valid', context => {
    context.skip(why !== undefined, why)
    const rules = panels.flatMap(({ targets }) =>
      targets.map(({ expr }) => ({ record: 'panel', expr: expr.replaceAll('$__rate_interval', '1m') })),
    )
    const folder = mkdtempSync(join(tmpdir(), 'carillon-dashboard-'))
    try {
      writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: [{ name: 'dashboard', rules }] }))
      const words = ['check', 'rules', '--lint=none', 'rules.yaml']
      expect(execFileSync('promtool', words, { cwd: folder, encoding: 'utf8' })).toContain(
        `SUCCESS: ${rules.length} rules found`,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('has panels with ids and titles of their own that do not lie on each other', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
    const taken = new Set<string>()
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), `${title} lies on another panel`).toBe(false)
          taken.add(`${x} ${y}`)
        }
    }
  })
})
