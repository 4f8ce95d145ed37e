import type { Bfd } from '../bfd/index.ts'
import type { BfdWatcher } from '../session/bfd-watch.ts'

/** Lets a `BgpSpeaker` watch its peers with this BFD. */
export function bfdWatcher(bfd: Bfd): BfdWatcher {
  return (target, observer) => {
    const session = bfd.session(target)
    session.on('session:down', ({ cause, reason }) => {
      // Who ends BFD on purpose does not say that the path is broken (RFC 5882 section 3.2).
      if (cause !== 'peer-admin-down') observer.down(reason)
    })
    session.on('session:changed', () => observer.changed())
    return {
      status: () => session.status(),
      close: () => void session.close(),
    }
  }
}
