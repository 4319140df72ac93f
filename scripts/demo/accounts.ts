/** The demo's accounts: in memory, and any e-mail address is one as soon as somebody signs in with it. */
import { createHash } from "node:crypto";

/** Opens every account that was not signed up for with a password of its own. */
export const demoPassword = "vestibule";

export interface DemoAccount {
  id: string;
  email: string;
  password: string;
}

export interface Accounts {
  /** The account, or undefined when the password is not its own. */
  signIn(email: string, password: string): DemoAccount | undefined;
  /** The new account, or undefined when the address has signed up before. */
  signUp(email: string, password: string): DemoAccount | undefined;
  find(id: string): DemoAccount | undefined;
}

export function createAccounts(): Accounts {
  const accounts = new Map<string, DemoAccount>();
  const idOf = (email: string) => createHash("sha256").update(email).digest("hex").slice(0, 16);
  const add = (email: string, password: string) => {
    const account = { id: idOf(email), email, password };
    accounts.set(account.id, account);
    return account;
  };

  return {
    signIn(given, password) {
      const email = given.trim().toLowerCase();
      const known = accounts.get(idOf(email));
      if (password !== (known?.password ?? demoPassword)) return undefined;
      return known ?? add(email, demoPassword);
    },
    signUp(given, password) {
      const email = given.trim().toLowerCase();
      return accounts.has(idOf(email)) ? undefined : add(email, password);
    },
    find: (id) => accounts.get(id),
  };
}
