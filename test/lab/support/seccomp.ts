import { readFileSync } from 'node:fs'
import { arch } from 'node:process'

/** What runtimes let through where a manifest says `RuntimeDefault`, by the capabilities that a container has. */
export const seccompProfile = '/usr/share/containers/seccomp.json'

interface Condition {
  readonly arches?: readonly string[]
  readonly caps?: readonly string[]
}

interface Rule {
  readonly names: readonly string[]
  readonly action: string
  readonly args?: readonly object[] | null
  readonly errnoRet?: number
  readonly includes?: Condition
  readonly excludes?: Condition
}

interface Profile {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly archMap: readonly {
    readonly architecture: string
    readonly subArchitectures?: readonly string[]
  }[]
  readonly syscalls: readonly Rule[]
}

/** How the profile calls the processors that Node runs on: in conditions, and as an architecture. */
const processors: Readonly<Record<string, readonly [name: string, architecture: string]>> = {
  x64: ['amd64', 'SCMP_ARCH_X86_64'],
  arm64: ['arm64', 'SCMP_ARCH_AARCH64'],
}

/** That profile as the runtime is given it. */
export function runtimeDefault(capabilities: readonly string[]): object {
  const [processor, architecture] = processors[arch] ?? [arch, '']
  const { defaultAction, defaultErrnoRet, archMap, syscalls } = JSON.parse(
    readFileSync(seccompProfile, 'utf8'),
  ) as Profile
  const holds = ({ includes = {}, excludes = {} }: Rule): boolean =>
    (includes.arches ?? [processor]).includes(processor) &&
    (includes.caps ?? []).every(one => capabilities.includes(one)) &&
    !(excludes.caps ?? []).some(one => capabilities.includes(one))
  const known = archMap.find(one => one.architecture === architecture)
  return {
    defaultAction,
    defaultErrnoRet,
    architectures: known === undefined ? [] : [known.architecture, ...(known.subArchitectures ?? [])],
    syscalls: syscalls.filter(holds).map(({ names, action, errnoRet, args }) => ({
      names,
      action,
      ...(errnoRet === undefined ? {} : { errnoRet }),
      ...(args ? { args } : {}),
    })),
  }
}
