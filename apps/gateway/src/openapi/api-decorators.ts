import * as swagger from '@nestjs/swagger';

/**
 * Nest's OpenAPI decorators, put off until somebody asks for the description: their library is 500 files, more than all
 * else that the gateway loads at its start (it is in the `lazy` list of .swcrc). Import them from here.
 */
type Decorator = 'ApiAcceptedResponse' | 'ApiBody' | 'ApiConsumes' | 'ApiCreatedResponse' | 'ApiExcludeController' | 'ApiExtraModels' | 'ApiHeader'
  | 'ApiOkResponse' | 'ApiOperation' | 'ApiParam' | 'ApiProperty' | 'ApiPropertyOptional' | 'ApiResponse' | 'ApiServiceUnavailableResponse' | 'ApiTags';
type Decorate = (...options: unknown[]) => (...place: unknown[]) => unknown;

const waiting: (() => void)[] = [];

const later = <N extends Decorator>(name: N): (typeof swagger)[N] => {
  const putOff: Decorate = (...options) => (...place) => void waiting.push(() => (swagger[name] as Decorate)(...options)(...place));
  return putOff as (typeof swagger)[N]; // takes what the real one takes, and hands it on
};

/** Before the description is made. */
export const applyApiDecorators = (): void => {
  for (const apply of waiting.splice(0)) apply();
};

export const ApiAcceptedResponse = later('ApiAcceptedResponse');
export const ApiBody = later('ApiBody');
export const ApiConsumes = later('ApiConsumes');
export const ApiCreatedResponse = later('ApiCreatedResponse');
export const ApiExcludeController = later('ApiExcludeController');
export const ApiExtraModels = later('ApiExtraModels');
export const ApiHeader = later('ApiHeader');
export const ApiOkResponse = later('ApiOkResponse');
export const ApiOperation = later('ApiOperation');
export const ApiParam = later('ApiParam');
export const ApiProperty = later('ApiProperty');
export const ApiPropertyOptional = later('ApiPropertyOptional');
export const ApiResponse = later('ApiResponse');
export const ApiServiceUnavailableResponse = later('ApiServiceUnavailableResponse');
export const ApiTags = later('ApiTags');
