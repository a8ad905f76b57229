/** Resources of both kinds. */
import * as Resource from "../model/Resource.ts"
import type * as Api from "./api.ts"

/** A resource of ours as the SDK reads it. */
class OtelResource implements Api.Resource {
  readonly attributes: Api.Attributes
  readonly asyncAttributesPending = false
  readonly schemaUrl: string | undefined

  constructor(resource: Resource.Resource) {
    this.attributes = { ...resource.attributes } as Api.Attributes
    this.schemaUrl = resource.schemaUrl
  }

  waitForAsyncAttributes(): Promise<void> {
    return Promise.resolve()
  }

  merge(other: Api.Resource | null): Api.Resource {
    return new OtelResource(Resource.make({ ...this.attributes, ...other?.attributes }, this.schemaUrl))
  }

  getRawAttributes(): Array<[string, unknown]> {
    return Object.entries(this.attributes)
  }
}

const views = new WeakMap<Resource.Resource, Api.Resource>()

/** The one view of a resource: exporters group by it. */
export const toOtelResource = (resource: Resource.Resource): Api.Resource => {
  let view = views.get(resource)
  if (view === undefined) views.set(resource, view = new OtelResource(resource))
  return view
}
