/** Letters and digits that are not mistaken for one another; 32 of them, so that each stands for five random bits. */
const ALPHABET = "23456789abcdefghijkmnpqrstuvwxyz";
const GROUPS = 6;
const GROUP_LENGTH = 5;

/** 150 random bits as six groups that can be copied by hand: `x7kqf-…`. */
export function generatePassphrase(): string {
  const random = crypto.getRandomValues(new Uint8Array(GROUPS * GROUP_LENGTH));
  const characters = Array.from(random, (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join("");
  return characters.match(new RegExp(`.{${GROUP_LENGTH}}`, "g"))?.join("-") ?? characters;
}
