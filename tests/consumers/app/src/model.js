/** Makes no model: in the place of this are those apps' functions that have a sandbox. */
export const model = async () => null;
