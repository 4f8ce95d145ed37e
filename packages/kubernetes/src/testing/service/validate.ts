import { isIP } from 'node:net'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../api/field-error.ts'
import type { KubeObject } from '../api/object.ts'
import { labelName, subdomainName } from '../kinds/strategy.ts'
import { keyProblem } from '../metadata/validate-metadata.ts'
import { familyOf, isHeadless, needsHealthCheck, type Service, type ServicePort } from './service.ts'

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const protocols = ['SCTP', 'TCP', 'UDP']
const policies = ['Cluster', 'Local']
const familyPolicies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
const families = ['IPv4', 'IPv6']

const portRange = 'must be between 1 and 65535, inclusive'
const isPort = (port: number): boolean => port >= 1 && port <= 65535

/** What is wrong with a Service, and what changed in it that must not. */
export function validateService(object: KubeObject, before: KubeObject | undefined): FieldError[] {
  const { spec } = object as Service
  const old = (before as Service | undefined)?.spec
  const errors: FieldError[] = []
  const { type = 'ClusterIP' } = spec
  if (!types.includes(type)) errors.push(notSupported('spec.type', type, types))
  errors.push(...portErrors(object as Service), ...addressErrors(object as Service))
  if (type === 'ExternalName') {
    if (!spec.externalName) errors.push(required('spec.externalName'))
    else {
      const problem = subdomainName(spec.externalName.replace(/\.$/, ''))
      if (problem !== undefined) errors.push(invalidValue('spec.externalName', spec.externalName, problem))
    }
    if (spec.clusterIP && spec.clusterIP !== 'None')
      errors.push(forbiddenField('spec.clusterIP', 'may not be set for ExternalName services'))
  }
  if (type === 'LoadBalancer' && isHeadless(spec))
    errors.push(
      invalidValue('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"),
    )
  errors.push(
    ...policyErrors(object as Service),
    ...classErrors(object as Service, before as Service | undefined),
  )
  if (old !== undefined && type !== 'ExternalName' && old.type !== 'ExternalName') {
    const [first, was] = [spec.clusterIPs?.[0], old.clusterIPs?.[0]]
    if (was !== undefined && first !== was)
      errors.push(invalidValue('spec.clusterIPs[0]', spec.clusterIPs ?? [], 'may not change once set'))
    const [family, oldFamily] = [spec.ipFamilies?.[0], old.ipFamilies?.[0]]
    if (oldFamily !== undefined && family !== oldFamily && was !== undefined)
      errors.push(invalidValue('spec.ipFamilies[0]', spec.ipFamilies ?? [], 'may not change once set'))
  }
  return errors
}

function portErrors({ spec }: Service): FieldError[] {
  const errors: FieldError[] = []
  const { ports = [], type } = spec
  if (ports.length === 0 && !isHeadless(spec) && type !== 'ExternalName') errors.push(required('spec.ports'))
  const names = new Set<string>()
  const pairs = new Set<string>()
  ports.forEach((port, index) => {
    const at = `spec.ports[${index}]`
    errors.push(...onePort(port, at, ports.length > 1, names))
    const pair = `${port.protocol}/${port.port}`
    if (pairs.has(pair))
      errors.push({
        reason: 'FieldValueDuplicate',
        field: at,
        value: { port: port.port, protocol: port.protocol },
        detail: '',
      })
    pairs.add(pair)
    if (port.nodePort !== undefined && (type === 'ClusterIP' || type === 'ExternalName'))
      errors.push(forbiddenField(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"))
  })
  return errors
}

function onePort(port: ServicePort, at: string, named: boolean, names: Set<string>): FieldError[] {
  const errors: FieldError[] = []
  if (port.name === undefined || port.name === '') {
    if (named) errors.push(required(`${at}.name`))
  } else {
    const problem = labelName(port.name)
    if (problem !== undefined) errors.push(invalidValue(`${at}.name`, port.name, problem))
    if (names.has(port.name))
      errors.push({ reason: 'FieldValueDuplicate', field: `${at}.name`, value: port.name, detail: '' })
    names.add(port.name)
  }
  if (!isPort(port.port)) errors.push(invalidValue(`${at}.port`, port.port, portRange))
  if (!protocols.includes(port.protocol ?? ''))
    errors.push(notSupported(`${at}.protocol`, port.protocol, protocols))
  const { targetPort } = port
  if (typeof targetPort === 'number' && !isPort(targetPort))
    errors.push(invalidValue(`${at}.targetPort`, targetPort, portRange))
  if (typeof targetPort === 'string' && !/^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/.test(targetPort))
    errors.push(
      invalidValue(
        `${at}.targetPort`,
        targetPort,
        'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      ),
    )
  return errors
}

function addressErrors({ spec }: Service): FieldError[] {
  const errors: FieldError[] = []
  const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy, externalIPs = [], clusterIP } = spec
  if (ipFamilyPolicy !== undefined && !familyPolicies.includes(ipFamilyPolicy))
    errors.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, familyPolicies))
  ipFamilies.forEach((family, index) => {
    if (!families.includes(family)) errors.push(notSupported(`spec.ipFamilies[${index}]`, family, families))
    if (ipFamilies.indexOf(family) < index)
      errors.push({
        reason: 'FieldValueDuplicate',
        field: `spec.ipFamilies[${index}]`,
        value: family,
        detail: '',
      })
  })
  if (clusterIPs.length > 0 && clusterIP !== clusterIPs[0])
    errors.push(invalidValue('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'))
  clusterIPs.forEach((address, index) => {
    const at = `spec.clusterIPs[${index}]`
    if (address === 'None') {
      if (clusterIPs.length > 1)
        errors.push(invalidValue(at, address, "'None' must be the first and only value"))
    } else if (isIP(address) === 0)
      errors.push(invalidValue(at, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
    else if (ipFamilies[index] !== undefined && familyOf(address) !== ipFamilies[index])
      errors.push(
        invalidValue(
          at,
          address,
          `expected an ${ipFamilies[index]} value as indicated by \`ipFamilies[${index}]\``,
        ),
      )
  })
  externalIPs.forEach((address, index) => {
    if (isIP(address) === 0)
      errors.push(
        invalidValue(
          `spec.externalIPs[${index}]`,
          address,
          'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ),
      )
  })
  return errors
}

function policyErrors({ spec }: Service): FieldError[] {
  const errors: FieldError[] = []
  const { type, externalTrafficPolicy, internalTrafficPolicy, sessionAffinity, externalIPs = [] } = spec
  const external =
    type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && externalIPs.length > 0)
  if (externalTrafficPolicy !== undefined) {
    if (!external)
      errors.push(
        invalidValue(
          'spec.externalTrafficPolicy',
          externalTrafficPolicy,
          'may only be set for externally-accessible services',
        ),
      )
    else if (!policies.includes(externalTrafficPolicy))
      errors.push(notSupported('spec.externalTrafficPolicy', externalTrafficPolicy, policies))
  }
  if (internalTrafficPolicy !== undefined && !policies.includes(internalTrafficPolicy))
    errors.push(notSupported('spec.internalTrafficPolicy', internalTrafficPolicy, policies))
  if (sessionAffinity !== undefined && !['None', 'ClientIP'].includes(sessionAffinity))
    errors.push(notSupported('spec.sessionAffinity', sessionAffinity, ['None', 'ClientIP']))
  if (spec.healthCheckNodePort !== undefined && !needsHealthCheck(spec))
    errors.push(
      invalidValue(
        'spec.healthCheckNodePort',
        spec.healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    )
  return errors
}

function classErrors({ spec }: Service, before: Service | undefined): FieldError[] {
  const errors: FieldError[] = []
  const { type, loadBalancerClass, allocateLoadBalancerNodePorts, loadBalancerSourceRanges = [] } = spec
  const balanced = type === 'LoadBalancer'
  if (loadBalancerClass !== undefined) {
    const problem = keyProblem(loadBalancerClass)
    if (!balanced)
      errors.push(forbiddenField('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"))
    else if (problem !== undefined)
      errors.push(invalidValue('spec.loadBalancerClass', loadBalancerClass, problem))
  }
  const old = before?.spec
  if (balanced && old?.type === 'LoadBalancer' && loadBalancerClass !== old.loadBalancerClass)
    errors.push(invalidValue('spec.loadBalancerClass', loadBalancerClass ?? null, 'may not change once set'))
  if (allocateLoadBalancerNodePorts !== undefined && !balanced)
    errors.push(
      forbiddenField('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"),
    )
  if (loadBalancerSourceRanges.length > 0 && !balanced)
    errors.push(
      forbiddenField('spec.LoadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"),
    )
  loadBalancerSourceRanges.forEach((range, index) => {
    const [address = '', length = ''] = range.trim().split('/')
    const family = isIP(address)
    if (family === 0 || !/^\d+$/.test(length) || Number(length) > (family === 4 ? 32 : 128))
      errors.push(
        invalidValue(
          `spec.loadBalancerSourceRanges[${index}]`,
          range,
          'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
        ),
      )
  })
  return errors
}

/** What is wrong with the status of a Service. */
export function validateServiceStatus(object: KubeObject): FieldError[] {
  const { spec, status } = object as Service
  const ingress = status?.loadBalancer?.ingress ?? []
  const at = 'status.loadBalancer.ingress'
  if (ingress.length > 0 && spec.type !== 'LoadBalancer')
    return [forbiddenField(at, 'may only be used when `spec.type` is "LoadBalancer"')]
  return ingress.flatMap(({ ip, ipMode, hostname }, index): FieldError[] => {
    const errors: FieldError[] = []
    if (ip !== undefined && isIP(ip) === 0)
      errors.push(
        invalidValue(
          `${at}[${index}].ip`,
          ip,
          'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        ),
      )
    if (ipMode !== undefined && ip === undefined)
      errors.push(forbiddenField(`${at}[${index}].ipMode`, 'may not be used when `ip` is not set'))
    if (ipMode !== undefined && !['VIP', 'Proxy'].includes(ipMode))
      errors.push(notSupported(`${at}[${index}].ipMode`, ipMode, ['VIP', 'Proxy']))
    if (hostname !== undefined && isIP(hostname) !== 0)
      errors.push(invalidValue(`${at}[${index}].hostname`, hostname, 'must be a DNS name, not an IP address'))
    return errors
  })
}
