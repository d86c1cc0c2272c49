/** Returns an image of 8 by 8 pixels. */
export const png = () => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

const base64 =
  "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAbUlEQVR42g3JQQEAMAgDMSQgoRIqAQlIqAQknPQt31QVXahwMcUWKa6oarpR42aabdJc/xAtJCxGrIg4/TBtZGzGrIk5/xh60OBhhh0y3PxYetHiZZZdstz+CB0UHCZsSLj8OPrQ4WOOPXLc8QAUAzwBRm2dsgAAAABJRU5ErkJggg==";
