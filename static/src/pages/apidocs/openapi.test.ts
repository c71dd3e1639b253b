import { describe, expect, it } from 'vitest';

import { groupsOf, limits, type OpenApi, written } from './openapi';

const plain = (schema: Parameters<typeof written>[0]) => written(schema).map(({ text }) => text).join('');

const DOCUMENT: OpenApi = {
  paths: {
    '/api/v1/session': {
      post: {
        operationId: 'post_session',
        summary: 'Sign in',
        tags: ['session'],
        parameters: [],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/SignIn' } } } },
        responses: { '200': { content: { 'application/json': { schema: { $ref: '#/components/schemas/SignedIn' } } } }, default: {} },
      },
      delete: { operationId: 'delete_session', summary: 'Sign out', tags: ['session'], parameters: [], responses: { '204': {} }, 'x-roles': ['doctor'] },
    },
    '/api/v1/opinion.pdf': {
      get: { operationId: 'pdf', summary: 'Print', tags: ['opinion'], parameters: [], responses: { '200': { content: { 'application/pdf': {} } } } },
    },
  },
  components: { schemas: {} },
};

describe('the groups', () => {
  const [session, opinion] = groupsOf(DOCUMENT);

  it('keep operations of one tag together', () => {
    expect(session!.operations.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /api/v1/session', 'DELETE /api/v1/session']);
    expect(opinion!.tag).toBe('opinion');
  });

  it('say who may call and what goes in and out', () => {
    const [post, remove] = session!.operations;
    expect(post).toMatchObject({ roles: [], status: '200', body: { media: 'application/json' }, reply: { schema: { $ref: '#/components/schemas/SignedIn' } } });
    expect(remove).toMatchObject({ roles: ['doctor'], status: '204', body: null, reply: null });
    expect(opinion!.operations[0]!.reply).toEqual({ media: 'application/pdf', schema: null });
  });
});

describe('a type', () => {
  it.each([
    [{ $ref: '#/components/schemas/User' }, 'User'],
    [{ anyOf: [{ $ref: '#/components/schemas/Hospital' }, { type: 'null' }] }, 'Hospital | null'],
    [{ type: 'array', items: { type: 'array', items: { type: 'number' } } }, 'number[][]'],
    [{ type: 'array', items: { enum: ['accept', 'decline'] } }, '("accept" | "decline")[]'],
    [{ type: 'object', additionalProperties: { type: 'integer' } }, '{[name]: integer}'],
    [{}, 'any'],
  ])('%j is written %s', (schema, words) => expect(plain(schema)).toBe(words));

  it('links to the shape it names', () => {
    expect(written({ $ref: '#/components/schemas/User' })).toEqual([{ text: 'User', shape: 'User' }]);
  });
});

describe('limits', () => {
  it.each([
    [{ minimum: 1, maximum: 500, default: 100 }, '1…500, = 100'],
    [{ maxLength: 64 }, '≤ 64 chars'],
    [{ default: null }, ''],
    [{ default: '' }, ''],
    [{ default: false }, '= false'],
  ])('of %j are %s', (schema, words) => expect(limits(schema)).toBe(words));
});
