import { RecordingMetrics } from '@carillon/core/testing'
import { expect, it } from 'vitest'
import { ControllerInstruments } from './controller-instruments.ts'

it('a controller gives the numbers that the alerts of MetalLB go by', () => {
  const metrics = new RecordingMetrics()
  const instruments = new ControllerInstruments(metrics)
  const values = (): readonly (number | undefined)[] =>
    ['updates_total', 'update_errors_total', 'config_loaded_bool', 'config_stale_bool'].map(name =>
      metrics.value(`metallb_k8s_client_${name}`),
    )
  expect(values()).toEqual([undefined, undefined, 0, 0])
  instruments.updated()
  instruments.failed()
  instruments.configuration({ loaded: true, stale: true })
  expect(values()).toEqual([2, 1, 1, 1])
})
