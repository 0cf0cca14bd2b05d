export interface Links {
  /** The gateway's own address, without a slash at its end. */
  readonly origin: string;
}

export interface Link {
  readonly url: string;
  readonly command: string;
}

/** Where a request can be answered by whoever logs in there. A link by itself permits nothing. */
export function linksTo(request: string, { origin }: Links): Link {
  return { url: `${origin}/approvals/${request}`, command: `sallyport approvals show ${request}` };
}
