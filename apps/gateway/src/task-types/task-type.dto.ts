import { ApiProperty } from '../openapi/api-decorators';
import { IsInt, Min } from 'class-validator';

export class ChooseVersionDto {
  @ApiProperty({ type: 'integer', minimum: 1, description: 'One of the versions that GET lists.' })
  @Min(1)
  @IsInt()
  version!: number;
}

export class TaskTypeDto {
  @ApiProperty() type!: string;
  @ApiProperty({ type: [Number], description: 'Versions of its rule that this installation has, oldest first.' }) versions!: number[];
  @ApiProperty({ type: 'integer', description: 'What new runs begin with. A run stays with the version it began with.' }) chosen!: number;
}

export class TaskTypeListDto {
  @ApiProperty({ type: [TaskTypeDto] }) taskTypes!: TaskTypeDto[];
}
