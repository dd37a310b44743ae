// Takes secrets out of text that is kept or shared: tokens by their looks, passwords by the name before them.

/** Three parts of base64url that begin like a JSON object: a JWT. */
const JWT = /\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]{6,}/g;
/** `password: "..."` in GraphQL and in JSON, however often the quotes are escaped. */
const NAMED = /((?:password|refreshToken|accessToken|\btoken)(?:\\*")?\s*:\s*\\*")(?:(?!\\*").)*/gi;

export const withoutSecrets = (text: string) => text.replace(JWT, "(token removed)").replace(NAMED, "$1");
