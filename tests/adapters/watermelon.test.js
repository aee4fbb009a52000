import { WatermelonClient } from './watermelon-client.js'
import { scenarios } from './scenarios.js'

scenarios(WatermelonClient)
