/** What every part of Carillon tells its events with; announcers of one's own need one. */
export { EventEmitter } from 'eventemitter3'
