package main

import (
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// application is what sits on top of the library: it reports every event, keeps metadata and user state, and broadcasts.
type application struct {
	lock       sync.Mutex
	meta       []byte
	state      []byte
	broadcasts *memberlist.TransmitLimitedQueue
}

func (a *application) start(members *memberlist.Memberlist, retransmit int) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.broadcasts = &memberlist.TransmitLimitedQueue{NumNodes: members.NumMembers, RetransmitMult: retransmit}
}

func report(event string, node *memberlist.Node) {
	say(map[string]interface{}{
		"event":   event,
		"name":    node.Name,
		"address": node.Address(),
		"meta":    string(node.Meta),
		"at":      time.Now().UTC().Format(time.RFC3339Nano),
	})
}

func (a *application) NotifyJoin(node *memberlist.Node)   { report("join", node) }
func (a *application) NotifyUpdate(node *memberlist.Node) { report("update", node) }

// NotifyLeave is told of both, who left and who died; the library keeps the difference to itself.
func (a *application) NotifyLeave(node *memberlist.Node) { report("leave", node) }

func (a *application) NotifyConflict(_, other *memberlist.Node) { report("conflict", other) }

func (a *application) NodeMeta(int) []byte {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.meta
}

func (a *application) LocalState(bool) []byte {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.state
}

func (a *application) NotifyMsg(message []byte) {
	say(map[string]interface{}{"event": "message", "text": string(message)})
}

func (a *application) MergeRemoteState(state []byte, join bool) {
	say(map[string]interface{}{"event": "state", "text": string(state), "join": join})
}

func (a *application) GetBroadcasts(overhead, limit int) [][]byte {
	a.lock.Lock()
	queue := a.broadcasts
	a.lock.Unlock()
	if queue == nil {
		return nil
	}
	return queue.GetBroadcasts(overhead, limit)
}

// text is a broadcast that replaces no other.
type text []byte

func (t text) Invalidates(memberlist.Broadcast) bool { return false }
func (t text) Message() []byte                       { return t }
func (t text) Finished()                             {}

func describe(node *memberlist.Node) map[string]interface{} {
	return map[string]interface{}{
		"name":    node.Name,
		"address": node.Address(),
		"meta":    string(node.Meta),
	}
}
