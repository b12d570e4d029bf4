import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * `fw_<id>_<secret>`: the id finds the row, the secret is 256 random bits. A fast hash is enough at rest, since nobody
 * can try out 2^256 secrets; the secret itself is shown once and stored nowhere.
 */
export interface ApiKey {
  readonly id: string;
  readonly secret: string;
}

const KEY = /^fw_([A-Za-z0-9]{16})_([A-Za-z0-9_-]{43})$/;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345'; // 58: each letter as likely as the others is not needed

export const newApiKey = (): ApiKey => ({
  id: [...randomBytes(16)].map((byte) => ALPHABET[byte % ALPHABET.length]).join(''),
  secret: randomBytes(32).toString('base64url'),
});

export const formatApiKey = ({ id, secret }: ApiKey): string => `fw_${id}_${secret}`;

export const parseApiKey = (text: string): ApiKey | undefined => {
  const match = KEY.exec(text);
  return match?.[1] !== undefined && match[2] !== undefined ? { id: match[1], secret: match[2] } : undefined;
};

export const hashSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();

export const secretMatches = (secret: string, hash: Uint8Array): boolean =>
  hash.length === 32 && timingSafeEqual(hashSecret(secret), hash);
