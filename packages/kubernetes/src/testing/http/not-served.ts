/** Thrown for a path that leads nowhere: nobody is there who could answer with a Status. */
export class NotServed extends Error {
  override readonly name = 'NotServed'
}
