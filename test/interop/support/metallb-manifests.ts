/** The objects of MetalLB's manifests that somebody who moves away has to do with, by their names. */
export const metallbManifests = `
apiVersion: v1
kind: Namespace
metadata: { name: metallb-system }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: speaker, namespace: metallb-system, labels: { app: metallb, component: speaker } }
spec:
  selector: { matchLabels: { app: metallb, component: speaker } }
  template:
    metadata: { labels: { app: metallb, component: speaker } }
    spec:
      hostNetwork: true
      nodeSelector: { kubernetes.io/os: linux }
      containers: [{ name: speaker, image: speaker }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: controller, namespace: metallb-system, labels: { app: metallb, component: controller } }
spec:
  selector: { matchLabels: { app: metallb, component: controller } }
  template:
    metadata: { labels: { app: metallb, component: controller } }
    spec:
      containers: [{ name: controller, image: controller }]
---
apiVersion: v1
kind: Secret
metadata: { name: metallb-webhook-cert, namespace: metallb-system }
---
apiVersion: v1
kind: Service
metadata: { name: metallb-webhook-service, namespace: metallb-system }
spec:
  selector: { component: controller }
  ports: [{ port: 443, targetPort: 9443 }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: metallb-webhook-configuration }
webhooks: []
`

/** The gossip's Secret as MetalLB's controller makes it: its Deployment's own. */
export const memberlistSecret = (deployment: string): string => `
apiVersion: v1
kind: Secret
metadata:
  name: memberlist
  namespace: metallb-system
  ownerReferences: [{ apiVersion: apps/v1, kind: Deployment, name: controller, uid: ${deployment} }]
stringData: { secretkey: c2VjcmV0IHRoYXQgZXZlcnlib2R5IGtub3dz }
`
