import type { Machinery } from '../registry/machinery.ts'
import type { Sink } from '../watch/watch-options.ts'
import { Watcher } from '../watch/watcher.ts'
import type { Accepted } from './accept.ts'
import { flag, includeObject, listOptions, timeoutSeconds } from './query.ts'
import type { ResourceRequest } from './resource-request.ts'

/** Begins to answer with the events of a watch. `watching` is told of it, and gives what is to be done at its end. @throws Refusal 400, 422 */
export function startWatch(
  machinery: Machinery,
  { call, query, response }: ResourceRequest,
  { as }: Accepted,
  watching: (watcher: Watcher) => () => void,
): void {
  const { labelSelector, fieldSelector, resourceVersion, resourceVersionMatch } = listOptions(query)
  let corked = false
  const uncork = (): void => {
    if (corked) response.uncork()
    corked = false
  }
  const sink: Sink = {
    write: line => {
      // What happens in one turn of the event loop goes out together.
      if (!corked) {
        corked = true
        response.cork()
        setImmediate(uncork)
      }
      response.write(line)
    },
    end: () => {
      // Node.js 22 loses what is corked when the response ends.
      uncork()
      response.end()
    },
    destroy: () => {
      response.destroy()
    },
    get waiting() {
      return response.writableLength
    },
  }
  const watcher = new Watcher(
    machinery,
    call,
    {
      labelSelector,
      fieldSelector,
      resourceVersion,
      resourceVersionMatch,
      bookmarks: flag(query, 'allowWatchBookmarks') === true,
      initialEvents: flag(query, 'sendInitialEvents'),
      timeoutSeconds: timeoutSeconds(query),
      as,
      include: includeObject(query),
    },
    sink,
  )
  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
  response.flushHeaders()
  response.on('close', () => watcher.drop())
  const ended = watching(watcher)
  watcher.start(ended)
}
