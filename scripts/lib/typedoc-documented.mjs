// A plug-in of typedoc: everything that a package exports has a doc comment. (typedoc's own check asks for one on every method as well,
// also on those that say only what the interface says that they implement.)
import { Application, ReflectionKind } from 'typedoc'

const exported =
  ReflectionKind.Class |
  ReflectionKind.Function |
  ReflectionKind.Interface |
  ReflectionKind.TypeAlias |
  ReflectionKind.Variable

const documented = reflection =>
  reflection.hasComment() || (reflection.signatures?.every(signature => signature.hasComment()) ?? false)

export function load(app) {
  // Each package is converted by a typedoc of its own, which loads this, too; what counts is the whole.
  app.on(Application.EVENT_VALIDATE_PROJECT, project => {
    if (app.options.getValue('entryPointStrategy') !== 'packages') return
    for (const reflection of project.getReflectionsByKind(exported))
      if (!documented(reflection))
        app.logger.validationWarning(`${reflection.getFullName()} is exported and has no doc comment`)
  })
}
